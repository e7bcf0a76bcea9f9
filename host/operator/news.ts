import type { Iteration } from "../knowledge/index.ts";
import type { EventNews } from "../kube/index.ts";
import { spellMove } from "../topology/index.ts";
import { findings, reasonsOf, type Finding, type Outcome } from "./conditions.ts";
import type { PolicyObject } from "./object.ts";

/** Every reason of an event besides the codes of faults; docs/reference/events.md is written from it. */
export const EVENTS = {
  Rescaled: {
    type: "Normal",
    action: "Scale",
    means:
      "A node was scaled: from how many to how many, what the algorithm says of it, and which guardrails changed it.",
  },
  NoData: {
    type: "Warning",
    action: "Decide",
    means: "A source has nothing to say of what it measures. Nothing is scaled on it.",
  },
  TargetDrifted: {
    type: "Warning",
    action: "Discover",
    means: "Somebody else scaled a node: who that was where it is known, and what is done about it.",
  },
  Restored: {
    type: "Normal",
    action: "Restore",
    means: "The policy is deleted, and a node has the number again that it had before the policy.",
  },
  NotRestored: {
    type: "Warning",
    action: "Restore",
    means: "The policy is deleted, and a node could not be given the number that it had before the policy.",
  },
} as const satisfies Readonly<Record<string, { type: EventNews["type"]; action: Action; means: string }>>;

/** What was done or tried when it happened. */
type Action = "Decide" | "Discover" | "Scale" | "Settle" | "Restore";

/** News of what the table has. */
export function listedNews(
  object: PolicyObject,
  reason: keyof typeof EVENTS,
  note: string,
  detail?: string,
): EventNews {
  const { type, action } = EVENTS[reason];
  const told = { regarding: regardingOf(object), type, reason, action, note };
  return detail === undefined ? told : { ...told, detail };
}

/** A fault, or what stands for one: the reason of its condition. */
function faultNews(object: PolicyObject, { reason, message }: Finding, action: Action): EventNews {
  if (reason in EVENTS) return listedNews(object, reason as keyof typeof EVENTS, message);
  return {
    regarding: regardingOf(object),
    type: "Warning",
    reason,
    action,
    note: message,
  };
}

const regardingOf = ({ apiVersion, kind, namespace, name, uid }: PolicyObject) => ({
  ...{ apiVersion, kind, namespace, name, uid },
});

/** What keeps changes from serving; that they are on their way is no news. */
export const unsettledOf = (outcome: Outcome): Finding | undefined =>
  findings(outcome).find(
    ({ type, status, reason }) => type === "Settled" && status === "False" && reason !== "Settling",
  );

/** What others made of nodes. */
export const driftedOf = (outcome: Outcome): Finding | undefined =>
  findings(outcome).find(({ type }) => type === "Drifted");

/** Which of what lasts was not so when it was last told. */
export interface IsNew {
  readonly trouble: boolean;
  readonly unsettled: boolean;
  readonly drifted: boolean;
}

/** Every rescale is news; trouble is news when it begins or changes its kind. */
export function newsOf(object: PolicyObject, outcome: Outcome, isNew: IsNew): EventNews[] {
  const news = outcome.stage === "passed" ? scaledNews(object, outcome.iteration) : [];
  const ready = findings(outcome).find((one) => one.type === "Ready");
  if (ready?.status === "False" && isNew.trouble) news.push(faultNews(object, ready, "Decide"));
  const unsettled = unsettledOf(outcome);
  if (unsettled !== undefined && isNew.unsettled) news.push(faultNews(object, unsettled, "Settle"));
  const drifted = driftedOf(outcome);
  if (drifted !== undefined && isNew.drifted)
    news.push(listedNews(object, "TargetDrifted", drifted.message, drifted.message));
  return news;
}

function scaledNews(object: PolicyObject, { changes, decision }: Iteration): EventNews[] {
  return changes.flatMap((change) => {
    const verdict = decision?.verdicts.find((one) => one.node === change.node);
    if (change.outcome !== "Scaled" || verdict === undefined) return [];
    const why = [verdict.says, ...reasonsOf(verdict)].filter((one) => one !== undefined).join("; ");
    const resources = decision?.changes.find((one) => one.node === change.node)?.resources;
    const move = { from: verdict.current, to: change.granted ?? verdict.granted };
    const step = `${verdict.node}: ${spellMove({ ...move, ...(resources && { resources }) })}`;
    return [listedNews(object, "Rescaled", why === "" ? step : `${step} (${why})`, step)];
  });
}
