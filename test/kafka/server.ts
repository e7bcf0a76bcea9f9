import { kafkaBroker, type KafkaBroker } from "../world/kafka.ts";
import { NoJava } from "../world/java.ts";

/** A real broker, or undefined, said loudly, where there is no Java; in CI that is a failure. */
export async function brokerOrNone(
  options?: Parameters<typeof kafkaBroker>[0],
): Promise<KafkaBroker | undefined> {
  try {
    return await kafkaBroker(options);
  } catch (thrown) {
    if (!(thrown instanceof NoJava) || process.env["CI"] === "true") throw thrown;
    process.stderr.write(`\nKafka is NOT tested: ${thrown.message}\n`);
    return undefined;
  }
}
