import { Type, type Static } from "typebox";
import { servicePort } from "./endpoint.ts";
import {
  block,
  choice,
  dnsLabel,
  dnsSubdomain,
  exactlyOne,
  listOf,
  setOf,
  text,
  whole,
  type Rule,
} from "./field.ts";

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

const host = () =>
  text("Name of a host outside the cluster, in full.", {
    maxLength: 253,
    pattern: `^${LABEL}([.]${LABEL})*$`,
  });
const port = () => Type.Optional(whole("Port of the host. Default 443.", 1, 65_535));

const place = block(
  "A host that is asked over TLS, or a Service of the credential's namespace. Exactly one of host and service.",
  {
    host: Type.Optional(host()),
    port: port(),
    service: Type.Optional(servicePort("A Service of the credential's namespace; it is asked over http.")),
  },
  {
    rules: [
      exactlyOne(["host", "service"], "name exactly one of host and service"),
      {
        cel: "!has(self.service) || !has(self.port)",
        message: "a service has its port under service: remove port",
        holds: (value) => !Object.hasOwn(value, "service") || !Object.hasOwn(value, "port"),
      },
    ],
  },
);

const secretRef = () => block("The Secret that holds it.", { name: dnsSubdomain("Name of the Secret.") });
const key = (description: string, preset: string) =>
  text(description, { maxLength: 253, pattern: "^[-._a-zA-Z0-9]+$" }, { default: preset });
const userAndPassword = () => ({
  secretRef: secretRef(),
  usernameKey: key("Key of the user name.", "username"),
  passwordKey: key("Key of the password.", "password"),
});

const kinds = () => ({
  basic: Type.Optional(block("A user name and a password, as HTTP's Basic.", userAndPassword())),
  bearer: Type.Optional(
    block("A token, as HTTP's Bearer.", {
      secretRef: secretRef(),
      key: key("Key of the token.", "token"),
    }),
  ),
  mtls: Type.Optional(
    block(
      "A certificate that is shown to a host, or to brokers of Kafka, when a connection is made over TLS.",
      {
        secretRef: secretRef(),
        certificateKey: key("Key of the certificate, or of a chain of them, in PEM.", "tls.crt"),
        privateKeyKey: key("Key of the private key in PEM.", "tls.key"),
      },
    ),
  ),
  sasl: Type.Optional(
    block("A user name and a password for Kafka. HTTP has no such thing: a request with it is refused.", {
      mechanism: choice("How the password is shown.", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]),
      ...userAndPassword(),
    }),
  ),
});

/** Names by which API servers know themselves: a token for one of them would open the cluster. */
const notTheApiServers: Rule<string> = {
  cel: "!self.contains('kubernetes.default') && !self.contains('kubernetes.svc')",
  message: "is the API server's own: name the audience that the host checks",
  holds: (value) => !value.includes("kubernetes.default") && !value.includes("kubernetes.svc"),
};

/** Whom a bound token is for. */
export const audience = (description: string) =>
  text(description, { maxLength: 253, pattern: "^[^ ]+$" }, { rules: [notTheApiServers] });

const serviceAccountToken = block(
  "A token of the policy's own service account, as HTTP's Bearer. It is asked for as that account, which may `create` its own `serviceaccounts/token`.",
  {
    audience: audience("Whom the token is for. It takes the approval of the Tenant, under `spec.audiences`."),
    expirationSeconds: whole("How long the token is good for.", 600, 3_600, { default: 600 }),
  },
);

const NAMESPACED = ["basic", "bearer", "mtls", "sasl", "serviceAccountToken"];
const SHARED = ["basic", "bearer", "mtls", "sasl"];

/** The spec of a Credential. */
export const credentialSpec = block(
  "What a request is authenticated by, and to whom. Exactly one of basic, bearer, mtls, sasl and serviceAccountToken.",
  {
    hosts: listOf(
      "What the credential is bound to, 1 to 16 places. It is sent nowhere else, whatever a policy or a redirect says.",
      place,
      { min: 1, max: 16 },
    ),
    ...kinds(),
    serviceAccountToken: Type.Optional(serviceAccountToken),
  },
  {
    rules: [exactlyOne(NAMESPACED, `name exactly one of ${NAMESPACED.join(", ")}`)],
  },
);
export type CredentialSpec = Static<typeof credentialSpec>;

/** The spec of a ClusterCredential. */
export const clusterCredentialSpec = block(
  "What a request is authenticated by, to whom, and for whom. Exactly one of basic, bearer, mtls and sasl. Its Secret is in the operator's namespace.",
  {
    // A tenant could make a Service of any name, and would be told the secret.
    hosts: listOf(
      "The hosts that the credential is bound to, 1 to 16. It is sent nowhere else, and over TLS alone.",
      block("A host that is asked over TLS.", { host: host(), port: port() }),
      { min: 1, max: 16 },
    ),
    namespaces: Type.Optional(
      setOf(
        "Namespaces whose policies may use it, at most 1,000, besides those whose Tenant names it under `spec.clusterCredentials`.",
        dnsLabel("Name of a namespace."),
        { max: 1_000 },
      ),
    ),
    ...kinds(),
  },
  { rules: [exactlyOne(SHARED, `name exactly one of ${SHARED.join(", ")}`)] },
);
export type ClusterCredentialSpec = Static<typeof clusterCredentialSpec>;

/** What the API server knows as a Credential, apart from its metadata. */
export const credential = block("What requests of a namespace's policies are authenticated by.", {
  spec: credentialSpec,
});

/** What the API server knows as a ClusterCredential, apart from its metadata. */
export const clusterCredential = block(
  "What requests of several namespaces' policies are authenticated by.",
  {
    spec: clusterCredentialSpec,
  },
);
