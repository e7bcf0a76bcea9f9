import type { Broker, CredentialUse, Policy } from "../policy/index.ts";

/** A broker, and the addresses at which it may be connected to: each of them was checked. */
export interface Place {
  /** The name by which it was asked for; its certificate has to be this name's. */
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** Where it is, unless it is a service of the cluster. */
  readonly outside?: "Public" | "Private";
}

/** Decides which brokers a policy may connect to. All of it throws `EffectDenied` for what is out of reach. */
export interface Brokers {
  /** A broker that the policy names. */
  named(policy: Policy, broker: Broker, signal: AbortSignal): Promise<Place>;
  /**
   * A broker that another one advertised: what it says is a stranger's word. It is one of those that the policy named, a name
   * of a service of the policy's namespace, or another broker outside the cluster that is granted.
   */
  advertised(
    policy: Policy,
    told: Pick<Place, "host" | "port">,
    named: readonly Place[],
    signal: AbortSignal,
  ): Promise<Place>;
}

/** What a broker is shown. */
export type Proof = Shown & {
  /** Where outside the cluster it may be shown; nowhere without it. */
  readonly bound?: readonly Pick<Place, "host" | "port">[];
};
type Shown =
  | {
      readonly kind: "sasl";
      readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
      readonly username: string;
      readonly password: string;
    }
  | { readonly kind: "mtls"; readonly certificate: string; readonly privateKey: string };

/** The secret of a credential, for the brokers that the policy names. It throws a fault if the policy may not use it there. */
export type ProofOf = (policy: Policy, use: CredentialUse, brokers: readonly Broker[]) => Promise<Proof>;

/** How brokers are spoken to: over TLS or not, and shown what. */
export interface Manner {
  /** Undefined is without TLS; `ca` are authorities in PEM that are trusted instead of those the runtime brings along. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  readonly proof: Proof | undefined;
}

/** Where brokers may be, and what they are shown. */
export interface KafkaOptions {
  readonly brokers: Brokers;
  readonly proof: ProofOf;
}

/** What is asked on whose behalf, and until when. */
export interface Asked {
  readonly policy: Policy;
  readonly bootstrap: readonly Broker[];
  readonly credential: CredentialUse | undefined;
  readonly tls: Manner["tls"];
  readonly signal: AbortSignal;
}
