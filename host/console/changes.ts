import { printable } from "./text.ts";
import type { NodeView, PolicyView, View } from "./view.ts";

/** One line for each policy that did something, or whose fault came or went, since the view before. Pure. */
export function changeLines(before: View, now: View): string[] {
  const known = new Map(before.policies.map((policy) => [policy.key, policy]));
  return now.policies.flatMap((policy) => {
    const last = known.get(policy.key);
    if (last?.number === policy.number && last.outcome === policy.outcome) return [];
    const said = whatChanged(last, policy);
    return said === ""
      ? []
      : [`${policy.at} ${printable(policy.key)} pass ${policy.number} ${printable(policy.outcome)}: ${said}`];
  });
}

function whatChanged(last: PolicyView | undefined, { fault, nodes }: PolicyView): string {
  if (fault !== undefined)
    return fault.message === last?.fault?.message ? "" : `${fault.code}: ${printable(fault.message)}`;
  const moved = nodes.filter((node) => node.granted !== node.parallelism);
  if (moved.length > 0) return moved.map(spell).join(", ");
  if (last === undefined)
    return nodes.map((node) => `${printable(node.name)} ${node.parallelism}`).join(", ");
  return last.fault === undefined ? "" : "works again";
}

/** `split 2 → 4 (wanted 9: OutOfBounds)` */
function spell({ name, parallelism, granted, wanted, why }: NodeView): string {
  const reason = why.length === 0 ? "" : `: ${why.map(printable).join(", ")}`;
  const aside =
    wanted === undefined || (wanted === granted && reason === "") ? "" : ` (wanted ${wanted}${reason})`;
  return `${printable(name)} ${parallelism} → ${granted}${aside}`;
}
