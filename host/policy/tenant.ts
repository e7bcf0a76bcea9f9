import { Fault, type Problem } from "../fault/index.ts";
import { fill, isRecord } from "./fill.ts";
import type { Parsed } from "./parse.ts";
import type { HostRule } from "./policy.ts";
import { inspect, type Findings } from "./rules.ts";
import { BUDGET, tenantSpec, type TenantSpec } from "./schema/tenant.ts";
import { shapeOf } from "./shape.ts";

/** What the policies of a namespace may have on the network, at the most. */
export interface Ceiling {
  readonly hosts: readonly HostRule[];
  readonly requestsPerMinute: number;
  readonly bytesPerMinute: number;
}

/** A `Tenant` with every default filled in. */
export interface Tenant {
  readonly name: string;
  readonly namespaces: readonly string[];
  readonly ceiling: Ceiling;
}

/** What a namespace has that belongs to no tenant: its own services, and no host elsewhere. */
export const NO_TENANT: Ceiling = { hosts: [], ...BUDGET };

const SHAPE = shapeOf(tenantSpec);

/** A `Tenant` as an API server has it. The fault is `PolicyInvalid`, with all that is wrong. */
export function parseTenant(object: unknown): Parsed<Tenant> {
  const found: Findings = { wrong: [], notYet: [] };
  const given = isRecord(object) ? object : {};
  const metadata = isRecord(given["metadata"]) ? given["metadata"] : {};
  const filled = fill(SHAPE.structural, given["spec"], "spec", found.wrong);
  if (isRecord(filled)) {
    found.wrong.push(...SHAPE.problems(filled));
    inspect(tenantSpec, filled, "spec", found);
  } else found.wrong.push({ field: "spec", message: "is required" });
  const [first] = found.wrong;
  if (first !== undefined) return refused(first, found.wrong);
  const { namespaces, egress = [], budget } = filled as TenantSpec;
  const ceiling = { hosts: egress, ...budget };
  return { ok: true, value: { name: String(metadata["name"]), namespaces, ceiling } };
}

const refused = ({ field, message }: Problem, problems: readonly Problem[]): Parsed<never> => ({
  ok: false,
  fault: new Fault("PolicyInvalid", message, { field }),
  problems,
});
