import { Type } from "typebox";
import { block, choice, dnsLabel, dnsSubdomain, exactlyOne, listOf, text, whole } from "./field.ts";

/** A port of a service in the policy's namespace. */
export const servicePort = (description: string) =>
  block(description, {
    name: dnsLabel("Name of a Service in the policy's namespace."),
    port: whole("Port of the Service, a number.", 1, 65_535),
  });

/** How brokers are spoken to where that is not in the clear. */
export const brokerTls = () =>
  block("Brokers are asked over TLS. Without it, in the clear.", {
    ca: Type.Optional(
      text(
        "Authorities in PEM that are trusted instead of the public ones: a broker's certificate is signed by one of them, and is that of the name it is asked by.",
        { maxLength: 16_384, pattern: "-----BEGIN CERTIFICATE-----" },
      ),
    ),
  });

const URL_NOT_YET = "name a Service of the policy's namespace under service instead";

/** An address outside the policy's namespace; it takes a grant of the Tenant. */
export const url = (description: string) =>
  text(
    description,
    { maxLength: 1_024, pattern: "^https?://[^/?#@ ]+(/[^?# ]*)?$" },
    { notYet: URL_NOT_YET },
  );

/** What a request is authenticated by; the algorithm never sees it. */
export const credentialRef = () =>
  block("The credential that requests are made with. The host holds it; an algorithm never sees it.", {
    kind: choice("Kind of the credential.", ["Credential", "ClusterCredential"], { default: "Credential" }),
    name: dnsSubdomain("Name of the credential."),
  });

/** Where a Kafka cluster is first asked. */
export const bootstrap = () =>
  listOf(
    "Brokers that are asked first, 1 to 10.",
    block(
      "A broker: a Service of the policy's namespace, or an address that the Tenant grants.",
      {
        service: Type.Optional(servicePort("A Service of the policy's namespace.")),
        address: Type.Optional(
          text(
            "`host:port` of a broker outside the cluster; needs a grant of the Tenant, under its `spec.brokers`.",
            { maxLength: 260, pattern: "^[A-Za-z0-9.-]+:[0-9]{1,5}$" },
          ),
        ),
      },
      {
        rules: [
          exactlyOne(["service", "address"], "a broker is either a service or an address: name exactly one"),
        ],
      },
    ),
    { min: 1, max: 10 },
  );
