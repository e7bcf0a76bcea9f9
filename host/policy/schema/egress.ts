import { Type } from "typebox";
import { credentialRef, servicePort } from "./endpoint.ts";
import { block, choice, exactlyOne, flag, listOf, setOf, text, whole, type Rule } from "./field.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
const SAFE: readonly string[] = ["GET", "HEAD"];
const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

const host = (description: string) =>
  text(
    description,
    { maxLength: 253 },
    {
      rules: [
        {
          cel: `self.matches('^([*][.]${LABEL}[.])?${LABEL}([.]${LABEL})*$')`,
          message:
            "must be the name of a host in small letters, or *. and a name of at least two labels, such as *.example.com",
          holds: (value) => new RegExp(`^([*][.]${LABEL}[.])?${LABEL}([.]${LABEL})*$`).test(value),
        },
      ],
    },
  );

const place = () => ({
  scheme: Type.Optional(choice("How a host is spoken to. Default https.", ["https", "http"])),
  port: Type.Optional(whole("Port of the host. Default that of the scheme: 443 or 80.", 1, 65_535)),
});

const allowance = () => ({
  methods: Type.Optional(
    setOf("What may be asked for. Default GET and HEAD.", choice("A method of HTTP.", METHODS), {
      min: 1,
      max: 7,
    }),
  ),
  repeatable: flag(
    "Says that each of the methods may be repeated without harm. A step is run again after every answer, and a pass after a loss: nothing but GET and HEAD is allowed without it.",
    { default: false },
  ),
  pathPrefix: text(
    "What paths begin with: `/api` allows `/api` and what lies below it, and not `/apis`.",
    { maxLength: 256, pattern: "^/[^?# %]*$" },
    { default: "/" },
  ),
});

interface Allowing {
  readonly methods?: readonly string[];
  readonly repeatable: boolean;
}
const repeatableOnly: Rule<Allowing> = {
  cel: "!has(self.methods) || self.repeatable || self.methods.all(method, method in ['GET', 'HEAD'])",
  message: "a method other than GET and HEAD may be repeated: set repeatable, if that does no harm",
  holds: ({ methods = [], repeatable }) => repeatable || methods.every((one) => SAFE.includes(one)),
};
const serviceHasItsPort: Rule<object> = {
  cel: "!has(self.service) || (!has(self.scheme) && !has(self.port))",
  message: "a service has its port under service, and is asked over http: remove scheme and port",
  holds: (value) =>
    !Object.hasOwn(value, "service") || (!Object.hasOwn(value, "scheme") && !Object.hasOwn(value, "port")),
};

/** What the steps of a policy's algorithm may ask over HTTP. */
export const egress = listOf(
  "What the steps may ask over HTTP, at most 16 rules. A Service of the policy's namespace needs no more than a rule; a host elsewhere has to be granted by the namespace's Tenant as well. Without a rule nothing may be asked.",
  block(
    "A place, and what may be asked for there. Exactly one of service and host.",
    {
      service: Type.Optional(servicePort("A Service of the policy's namespace, which its account may read.")),
      host: Type.Optional(
        host(
          "A host outside the cluster: its name, or `*.` and a name, where the star stands for one label.",
        ),
      ),
      ...place(),
      ...allowance(),
      credentialRef: Type.Optional(credentialRef()),
    },
    {
      rules: [
        exactlyOne(["service", "host"], "name exactly one of service and host"),
        serviceHasItsPort,
        repeatableOnly,
      ],
    },
  ),
  { max: 16 },
);

/** The hosts that the policies of a tenant may ask at the most. */
export const ceiling = listOf(
  "Hosts outside the cluster that policies of these namespaces may ask, at most 64 rules. Private addresses are never reached, whatever a name resolves to.",
  block(
    "A host, and what may be asked for there.",
    {
      host: host("Name of the host, or `*.` and a name, where the star stands for one label."),
      ...place(),
      ...allowance(),
    },
    { rules: [repeatableOnly] },
  ),
  { max: 64 },
);
