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

const OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const HEX = "[0-9a-f]{1,4}";
/** Exactly the networks inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and fc00::/7. */
const PRIVATE = [
  `10([.]${OCTET}){3}/([89]|[12][0-9]|3[0-2])`,
  `172[.](1[6-9]|2[0-9]|3[01])([.]${OCTET}){2}/(1[2-9]|2[0-9]|3[0-2])`,
  `192[.]168([.]${OCTET}){2}/(1[6-9]|2[0-9]|3[0-2])`,
  `f[cd][0-9a-f]{2}((:${HEX}){0,6}::|(:${HEX}){7})/([789]|[1-9][0-9]|1[01][0-9]|12[0-8])`,
].join("|");

const privateNetwork = text(
  "A private network, such as `10.20.0.0/16` or `fd12:3456::/32`.",
  { maxLength: 43 },
  {
    rules: [
      {
        cel: `self.matches('^(${PRIVATE})$')`,
        message:
          "must be a network inside 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7 with its bits, such as 10.20.0.0/16",
        holds: (value) => new RegExp(`^(${PRIVATE})$`).test(value),
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

const networksOfOneHost: Rule<{ readonly host: string; readonly networks?: readonly string[] }> = {
  cel: "!has(self.networks) || !self.host.startsWith('*')",
  message: "private networks are granted to one host: name it without a star",
  holds: ({ host: name, networks }) => networks === undefined || !name.startsWith("*"),
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

const privateNetworks = () =>
  Type.Optional(
    setOf(
      "Private networks that the host may be in, at most 16. Without it, it is on the public Internet.",
      privateNetwork,
      { max: 16 },
    ),
  );

/** The hosts that the policies of a tenant may ask at the most. */
export const ceiling = listOf(
  "Hosts outside the cluster that policies of these namespaces may ask, at most 64 rules. Private addresses are reached only where a rule names their network; loopback, link-local and metadata addresses and the API server never.",
  block(
    "A host, and what may be asked for there.",
    {
      host: host("Name of the host, or `*.` and a name, where the star stands for one label."),
      ...place(),
      ...allowance(),
      networks: privateNetworks(),
    },
    { rules: [repeatableOnly, networksOfOneHost] },
  ),
  { max: 64 },
);

/** The brokers outside the cluster that the policies of a tenant may ask at the most. */
export const brokerCeiling = listOf(
  "Brokers of Kafka outside the cluster that policies of these namespaces may ask, at most 64 rules; those that a broker advertises have to be among them. They are asked over TLS, without it only in private networks and without a credential.",
  block(
    "A broker, or all of a domain.",
    {
      host: host("Name of the host, or `*.` and a name, where the star stands for one label."),
      port: whole("Port of the broker.", 1, 65_535, { default: 9_092 }),
      networks: privateNetworks(),
    },
    { rules: [networksOfOneHost] },
  ),
  { max: 64 },
);
