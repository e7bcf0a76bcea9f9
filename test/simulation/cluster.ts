import { Fault } from "../../host/fault/index.ts";
import {
  ClusterFault,
  type Api,
  type Cluster,
  type KubeObject,
  type Resource,
  type TenantApi,
} from "../../host/kube/index.ts";
import type { WatchEvent } from "../../host/kube/watch.ts";
import { RESOURCES, type Server } from "./server.ts";
import type { Trouble } from "./trouble.ts";
import type { Life, World } from "./time.ts";

/** The cluster as one life of an operator reaches it: every call takes time, and may go wrong as the trouble says. */
export function clusterOf(world: World, server: Server, trouble: Trouble, life: Life): Cluster {
  const call = <T>(act: () => T): Promise<T> => life.answered(attempt(world, trouble, act));
  return {
    as: (identity) => tenantApi(server, call, identity),
    operator: operatorApi(world, server, trouble, life, call),
    leases: operatorApi(world, server, trouble, life, call),
    resource: async (apiVersion, kind) => {
      const found = RESOURCES.find((one) => one.apiVersion === apiVersion && one.kind === kind);
      if (found === undefined) throw new Fault("TargetNotFound", `The cluster serves no ${kind}`);
      return found;
    },
    host: async () => "api.example",
    close: async () => undefined,
  };
}

type Call = <T>(act: () => T) => Promise<T>;

/** A call on its way: it may be lost before it arrives, or its answer after it was carried out. */
async function attempt<T>(world: World, trouble: Trouble, act: () => T): Promise<T> {
  await world.sleep(trouble.latencyMs());
  const wrong = trouble.ofCall();
  if (wrong === "unreachable") throw new ClusterFault("ClusterUnavailable", 0, "no answer", { retry: true });
  if (wrong === "overloaded")
    throw new ClusterFault("ClusterUnavailable", 429, "too many requests", {
      retry: true,
      retryAfterSeconds: 1,
    });
  if (wrong === "forbidden") throw new ClusterFault("Forbidden", 403, "forbidden");
  const result = act();
  await world.sleep(trouble.latencyMs());
  if (wrong === "answer lost")
    throw new ClusterFault("ClusterUnavailable", 0, "the answer was lost", { retry: true });
  return result;
}

function tenantApi(server: Server, call: Call, identity: TenantApi["identity"]): TenantApi {
  const { namespace, user } = identity;
  return {
    identity,
    get: (resource, name, subresource) =>
      call(() =>
        subresource === "scale"
          ? server.scale(resource, namespace, name)
          : server.get(resource, namespace, name),
      ),
    list: (resource) =>
      call(() => ({
        items: server.list(resource),
        resourceVersion: String(server.version),
        continue: undefined,
      })),
    replace: (resource, name, object) =>
      call(() => {
        server.writeScale(resource, namespace, name, object as KubeObject, user);
        return server.scale(resource, namespace, name);
      }),
    create: notUsed,
    patch: notUsed,
    apply: notUsed,
    delete: notUsed,
    request: notUsed,
  };
}

const notUsed = () => Promise.reject(new Error("this call is not simulated"));

function operatorApi(world: World, server: Server, trouble: Trouble, life: Life, call: Call): Api {
  return {
    get: (resource, { namespace = "", name }) => call(() => server.get(resource, namespace, name)),
    list: (resource) =>
      call(() => ({
        items: server.list(resource),
        resourceVersion: String(server.version),
        continue: undefined,
      })),
    watch: (resource, query) => watch({ world, server, trouble, life }, resource, query),
    apply: (resource, { namespace = "", name }, object) =>
      call(() => server.writeStatus(resource, namespace, name, (object as { status: unknown }).status)),
    create: () => call(() => ({})),
    patch: () => call(() => server.list(RESOURCES[0] as Resource)[0] as KubeObject),
    replace: notUsed,
    delete: notUsed,
    raw: notUsed,
  };
}

interface Around {
  readonly world: World;
  readonly server: Server;
  readonly trouble: Trouble;
  readonly life: Life;
}
type Query = Parameters<Api["watch"]>[1];

/** A watch: it may be cut, fall silent, or be asked for what the server has forgotten. */
async function* watch(
  { world, server, trouble, life }: Around,
  resource: Resource,
  { resourceVersion, timeoutSeconds, inactivityMs, signal }: Query,
): AsyncGenerator<WatchEvent> {
  const endMs = world.nowMs + timeoutSeconds * 1_000;
  let version = Number(resourceVersion);
  for (;;) {
    const wrong = trouble.ofWatch();
    if (wrong === "mute") {
      await life.answered(world.sleep(inactivityMs));
      throw new ClusterFault("ClusterUnavailable", 0, "the watch is silent", { retry: true });
    }
    if (wrong === "cut")
      throw new ClusterFault("ClusterUnavailable", 0, "the watch was cut", { retry: true });
    const { events, version: now } = server.since(resource, version);
    version = now;
    for (const event of events) {
      await life.answered(world.sleep(trouble.latencyMs()));
      yield event;
    }
    if (signal.aborted || world.nowMs >= endMs) return;
    await life.answered(Promise.race([server.changed(), world.sleep(10_000)]));
  }
}
