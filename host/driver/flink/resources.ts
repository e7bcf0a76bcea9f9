import { accountOf, fieldsOf, type KubeObject } from "../../kube/index.ts";
import type { Wanted } from "../../knowledge/index.ts";
import type { Permit } from "../../loop/index.ts";
import type { FlinkTarget, Policy } from "../../policy/index.ts";
import { DIMENSIONS, type Dimension, type Reshape, type Resources } from "../../topology/index.ts";
import { isRolledOut, podTemplate, writeInstance, type Form, type Instance } from "../instance.ts";
import { FLINK_API } from "./address.ts";
import type { Reach } from "./look.ts";

/** The option by which a TaskManager is told how many slots it has. */
const SLOTS = "taskmanager.numberOfTaskSlots";
const MEBIBYTE = 2 ** 20;

/** What a TaskManager has, and whether all of them have it. */
export interface Shape extends Instance {
  readonly isThere: boolean;
}

/**
 * What the policy's TaskManagers have: the requests of their pods, or what a FlinkDeployment says. Undefined where the policy
 * lets nobody change it, or names neither: the TaskManagers of a session are others' as well.
 */
export async function readShape(
  reach: Reach,
  policy: Policy,
  target: FlinkTarget,
): Promise<Shape | undefined> {
  const place = policy.guardrails.resources && placeOf(target);
  if (place === undefined) return undefined;
  const object = await apiOf(reach, policy).get(await resourceOf(reach, place), place.name);
  const instance = place.form.read(object);
  return instance && { ...instance, isThere: place.isThere(object) };
}

/** Gives the TaskManagers other resources; the job restarts on those that have them. */
export async function writeShape(
  reach: Reach,
  policy: Policy,
  target: FlinkTarget,
  reshape: Reshape,
  permit: Permit,
): Promise<void> {
  const place = placeOf(target);
  if (place === undefined) return;
  const resource = await resourceOf(reach, place);
  const change = { resource, name: place.name, uid: undefined, reshape };
  await writeInstance(apiOf(reach, policy), change, place.form, permit);
}

/** All vertices run in the same TaskManagers: each that wants some of their resources wants the most that any does. Pure. */
export function sharedWants(wanted: readonly Wanted[]): readonly Wanted[] {
  const most: Partial<Record<Dimension, number>> = {};
  for (const { resources = {} } of wanted)
    for (const one of DIMENSIONS) {
      const want = resources[one];
      if (want !== undefined) most[one] = Math.max(most[one] ?? 0, want);
    }
  return wanted.map((one) => (one.resources === undefined ? one : { ...one, resources: most }));
}

interface Place {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly form: Form;
  readonly isThere: (object: KubeObject) => boolean;
}

function placeOf({ jobManager, taskManagers }: FlinkTarget): Place | undefined {
  if ("flinkDeployment" in jobManager) {
    const kind = "FlinkDeployment";
    return { apiVersion: FLINK_API, kind, name: jobManager.flinkDeployment, form: custom, isThere: isStable };
  }
  if (taskManagers === undefined) return undefined;
  return { ...taskManagers.ref, form: podTemplate(taskManagers.container), isThere: isRolledOut };
}

const apiOf = ({ cluster }: Reach, policy: Policy) => cluster.as(accountOf(policy));
const resourceOf = ({ cluster }: Reach, { apiVersion, kind }: Place) => cluster.resource(apiVersion, kind);

/** `spec.taskManager.resource` of a FlinkDeployment, and the slots in its configuration. */
const custom: Form = {
  read({ spec }) {
    const { taskManager, flinkConfiguration } = fieldsOf(spec);
    const { cpu, memory } = fieldsOf(fieldsOf(taskManager)["resource"]);
    const bytes = flinkMemory(memory);
    const slots = Number(fieldsOf(flinkConfiguration)[SLOTS] ?? 1);
    const resources: Resources = {
      ...(typeof cpu === "number" ? { cpu } : {}),
      ...(bytes === undefined ? {} : { memory: bytes }),
      ...(Number.isSafeInteger(slots) ? { slots } : {}),
    };
    return { resources, adjustable: DIMENSIONS };
  },
  patch(_object, { from, to }) {
    const moved = (one: Dimension) => from[one] !== undefined || to[one] !== undefined;
    // What was not said before is not said again: a merge takes away what is null.
    const { cpu = null, memory, slots } = to;
    const mebibytes = memory === undefined ? null : `${Math.ceil(memory / MEBIBYTE)}m`;
    const resource = { ...(moved("cpu") && { cpu }), ...(moved("memory") && { memory: mebibytes }) };
    const option = { [SLOTS]: slots === undefined ? null : String(slots) };
    return {
      spec: {
        ...(Object.keys(resource).length === 0 ? {} : { taskManager: { resource } }),
        ...(moved("slots") ? { flinkConfiguration: option } : {}),
      },
    };
  },
};

/** The Flink Kubernetes operator says so where it says anything. */
function isStable({ status }: KubeObject): boolean {
  const { lifecycleState } = fieldsOf(status);
  return lifecycleState === undefined || lifecycleState === "STABLE" || lifecycleState === "DEPLOYED";
}

const FLINK_UNITS: Readonly<Record<string, number>> = {
  ...{ "": 1, b: 1, bytes: 1, k: 2 ** 10, kb: 2 ** 10, ki: 2 ** 10, kibibytes: 2 ** 10 },
  ...{ m: MEBIBYTE, mb: MEBIBYTE, mi: MEBIBYTE, mebibytes: MEBIBYTE },
  ...{
    g: 2 ** 30,
    gb: 2 ** 30,
    gi: 2 ** 30,
    gibibytes: 2 ** 30,
    t: 2 ** 40,
    tb: 2 ** 40,
    ti: 2 ** 40,
    tebibytes: 2 ** 40,
  },
};

/** Bytes as Flink spells them: `2048m` are MiB, as are `2048 mb`; undefined for anything else. */
function flinkMemory(value: unknown): number | undefined {
  const [, number, unit = ""] =
    typeof value === "string" ? (/^(\d{1,15})\s*([a-z]*)$/i.exec(value.trim()) ?? []) : [];
  const size = FLINK_UNITS[unit.toLowerCase()];
  return number === undefined || size === undefined ? undefined : Number(number) * size;
}
