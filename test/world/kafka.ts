import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Admin, ProduceAcks, Producer, stringSerializers } from "@platformatic/kafka";
import { classPath } from "./java.ts";
import { MECHANISMS, properties, USER, type KafkaLayout } from "./kafka-settings.ts";
import { freePorts } from "./port.ts";
import { supervise, type Supervisor } from "./supervisor.ts";

const run = promisify(execFile);
const SOURCES = join(import.meta.dirname, "kafka");
const READY_MS = 60_000;
/** The client compiler alone: a test's JVM is over before the other one has paid off. */
const JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/** A real broker of Kafka on loopback, its own controller as well. */
export interface KafkaBroker extends AsyncDisposable {
  /** Where it keeps what goes with it. */
  readonly directory: string;
  /** Ports of its listeners: without anything, with SASL (`USER`), with TLS and a client's certificate, and one that advertises an address elsewhere. */
  readonly ports: KafkaLayout["ports"];
  /** Certificates in PEM: the authority of both sides, and a client's. */
  readonly pki: Readonly<Record<"ca" | "certificate" | "privateKey", string>>;
  readonly createTopic: (topic: string, partitions: number) => Promise<void>;
  readonly deleteTopic: (topic: string) => Promise<void>;
  /** Writes so many records to each of the partitions, in their order. */
  readonly produce: (topic: string, records: readonly number[]) => Promise<void>;
  /** Commits offsets of a group that has no members: one for each of the topic's first partitions. */
  readonly commit: (group: string, topic: string, offsets: readonly number[]) => Promise<void>;
  /** The command of a class in test/world/kafka with these words. */
  readonly java: (main: string, words: readonly string[]) => { program: string; arguments: string[] };
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** Stops (`SIGSTOP`) or continues (`SIGCONT`) it. */
  readonly signal: (signal: "SIGSTOP" | "SIGCONT") => void;
  readonly stop: () => Promise<void>;
}

interface Options {
  /** What the listener `stray` says that it is. Default: a metadata service of a cloud. */
  readonly stray?: string;
  /** More of `server.properties`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Features of the cluster at other levels than the release has, such as `streams.version=1`. */
  readonly features?: readonly string[];
}

/** Starts a broker; throws `NoJava`, with the remedy, where there is none. */
export async function kafkaBroker({
  stray = "169.254.169.254:9092",
  settings = {},
  features = [],
}: Options = {}): Promise<KafkaBroker> {
  const path = await classPath("kafka", SOURCES);
  const supervisor = await supervise();
  const { directory, stop } = supervisor;
  try {
    const [plain = 0, sasl = 0, tls = 0, other = 0, controller = 0] = await freePorts(5);
    const ports = { plain, sasl, tls, stray: other, controller };
    const config = join(directory, "server.properties");
    await writeFile(config, properties({ directory, ports, stray, settings }));
    const pki = await makePki(directory);
    await format(path, config, features);
    const server = serverOf(supervisor, path, config);
    await server.start();
    const bootstrap = [`127.0.0.1:${plain}`];
    return {
      ...{ directory, ports, pki, ...server, ...clientOf(bootstrap), stop, [Symbol.asyncDispose]: stop },
      java: (main, words) => ({
        program: "java",
        arguments: [
          "-Xmx128m",
          ...JVM,
          "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
          "-cp",
          path,
          main,
          ...words,
        ],
      }),
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function format(path: string, config: string, features: readonly string[]): Promise<void> {
  const users = MECHANISMS.filter((one) => one !== "PLAIN").flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${USER.username},password=${USER.password}]`,
  ]);
  const id = randomBytes(16).toString("base64url");
  const words = [
    "kafka.tools.StorageTool",
    "format",
    "-t",
    id,
    "-c",
    config,
    ...users,
    ...features.flatMap((one) => ["--feature", one]),
  ];
  await run("java", ["-Xmx128m", ...JVM, "-cp", path, ...words]);
}

function serverOf(
  supervisor: Supervisor,
  path: string,
  config: string,
): Pick<KafkaBroker, "kill" | "start" | "signal"> {
  let pid = 0;
  const log = join(supervisor.directory, "logs", "kafka.log");
  const said = () => readFile(log, "utf8").catch(() => "");
  return {
    async start() {
      await rm(log, { force: true });
      const level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=info";
      const words = ["-Xmx384m", ...JVM, level, "-cp", path, "kafka.Kafka", config];
      ({ pid } = await supervisor.start("kafka", words, "java"));
      const deadline = Date.now() + READY_MS;
      while (!(await said()).includes("Kafka Server started")) {
        if (Date.now() > deadline || !isAlive(pid))
          throw new Error(`Kafka did not start within ${READY_MS} ms:\n${(await said()).slice(-3_000)}`);
        await sleep(100);
      }
    },
    kill: () => supervisor.kill("kafka"),
    signal: (name) => void process.kill(pid, name),
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function clientOf(
  bootstrapBrokers: string[],
): Pick<KafkaBroker, "createTopic" | "deleteTopic" | "produce" | "commit"> {
  const settings = { clientId: "world", bootstrapBrokers };
  const asAdmin = async (act: (admin: Admin) => Promise<unknown>) => {
    const admin = new Admin(settings);
    try {
      await act(admin);
    } finally {
      await admin.close();
    }
  };
  return {
    createTopic: (topic, partitions) =>
      asAdmin((admin) => admin.createTopics({ topics: [topic], partitions, replicas: 1 })),
    deleteTopic: (topic) => asAdmin((admin) => admin.deleteTopics({ topics: [topic] })),
    async produce(topic, records) {
      // Else a repeated request would write twice.
      const producer = new Producer({ ...settings, serializers: stringSerializers, idempotent: true });
      const messages = records.flatMap((count, partition) =>
        Array.from({ length: count }, (_, at) => ({ topic, partition, key: `k${at}`, value: `w${at % 16}` })),
      );
      try {
        for (let at = 0; at < messages.length; at += 1_000)
          await producer.send({ messages: messages.slice(at, at + 1_000), acks: ProduceAcks.ALL });
      } finally {
        await producer.close();
      }
    },
    commit: (groupId, name, offsets) =>
      asAdmin((admin) =>
        admin.alterConsumerGroupOffsets({
          groupId,
          topics: [
            {
              name,
              partitionOffsets: offsets.map((offset, partition) => ({ partition, offset: BigInt(offset) })),
            },
          ],
        }),
      ),
  };
}

/** An authority, a broker's certificate for a service of the namespace team-a and this machine, and a client's. */
async function makePki(directory: string): Promise<KafkaBroker["pki"]> {
  const at = (name: string) => join(directory, name);
  const openssl = (...words: string[]) => run("openssl", words, { cwd: directory });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-subj",
    "/CN=kafka-ca",
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.crt"),
  );
  const names =
    "subjectAltName=DNS:kafka.team-a.svc,DNS:*.kafka.team-a.svc,DNS:kafka.example.com,DNS:localhost,IP:127.0.0.1";
  for (const [name, extension] of [
    ["broker", names],
    ["client", "subjectAltName=DNS:client"],
  ] as const) {
    const signed = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-addext", extension];
    await openssl(
      ...["req", "-x509", ...key, ...signed, "-subj", `/CN=${name}`],
      ...["-keyout", at(`${name}.key`), "-out", at(`${name}.crt`)],
    );
  }
  const read = (name: string) => readFile(at(name), "utf8");
  await writeFile(at("broker.pem"), (await read("broker.key")) + (await read("broker.crt")));
  return {
    ca: await read("ca.crt"),
    certificate: await read("client.crt"),
    privateKey: await read("client.key"),
  };
}
