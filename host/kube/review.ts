import type { Cluster } from "./client.ts";
import type { TenantIdentity } from "./identity.ts";
import { fieldsOf, type Resource } from "./resource.ts";
import type { Time } from "./time.ts";

/** So long is believed that an account may read; a right that is taken away counts from then on. */
const ALLOWED_MS = 60_000;
/** A right that is given counts soon. */
const DENIED_MS = 10_000;
/** One for each tenant's account and kind: 10,000 tenants have two each. */
const KEPT = 20_000;

interface Reviewed {
  readonly isAllowed: boolean;
  readonly untilMs: number;
}

/** Whether service accounts may read objects, asked of the API server and kept for a minute. */
export class Reviews {
  readonly #cluster: Cluster;
  readonly #time: Time;
  readonly #kept = new Map<string, Promise<Reviewed>>();

  constructor(cluster: Cluster, time: Time) {
    this.#cluster = cluster;
    this.#time = time;
  }

  /** Whether the account may get any object of the kind in its namespace. What cannot be asked is not allowed. */
  async mayGet(account: TenantIdentity, resource: Resource): Promise<boolean> {
    const key = `${account.user} ${resource.apiVersion} ${resource.plural}`;
    const known = await this.#kept.get(key);
    if (known !== undefined && this.#time.elapsedMs() < known.untilMs) return known.isAllowed;
    if (this.#kept.size >= KEPT) this.#kept.clear();
    const asked = this.#ask(account, resource).then(
      (isAllowed) => this.#until(isAllowed),
      () => this.#until(false),
    );
    this.#kept.set(key, asked);
    return (await asked).isAllowed;
  }

  #until = (isAllowed: boolean): Reviewed => ({
    isAllowed,
    untilMs: this.#time.elapsedMs() + (isAllowed ? ALLOWED_MS : DENIED_MS),
  });

  async #ask({ user, namespace }: TenantIdentity, { apiVersion, plural }: Resource): Promise<boolean> {
    const resource = await this.#cluster.resource("authorization.k8s.io/v1", "SubjectAccessReview");
    const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
    const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
    const answer = await this.#cluster.operator.create(resource, undefined, {
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      spec: { user, groups, resourceAttributes: { namespace, verb: "get", group, resource: plural } },
    });
    return fieldsOf(fieldsOf(answer)["status"])["allowed"] === true;
  }
}
