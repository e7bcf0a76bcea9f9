/** Where a broker listens, and what it reads and writes. */
export interface KafkaLayout {
  readonly directory: string;
  readonly ports: Readonly<Record<"plain" | "sasl" | "tls" | "stray" | "controller", number>>;
  /** What the listener `stray` says that it is, as `host:port`. */
  readonly stray: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** The user of every mechanism of SASL. */
export const USER = { username: "sluice", password: "s3cret-of-kafka" } as const;
export const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;

/** `server.properties` of one node that is broker and controller, with as little of everything as will do. */
export function properties({ directory, ports, stray, settings }: KafkaLayout): string {
  const module = "org.apache.kafka.common.security";
  const at = (name: keyof typeof ports) => `127.0.0.1:${ports[name]}`;
  const all = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@${at("controller")}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    listeners: `PLAINTEXT://${at("plain")},SASL_PLAINTEXT://${at("sasl")},SSL://${at("tls")},STRAY://${at("stray")},CONTROLLER://${at("controller")}`,
    "advertised.listeners": `PLAINTEXT://${at("plain")},SASL_PLAINTEXT://${at("sasl")},SSL://${at("tls")},STRAY://${stray}`,
    "listener.security.protocol.map":
      "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,STRAY:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": `${directory}/data`,
    "sasl.enabled.mechanisms": MECHANISMS.join(","),
    "listener.name.sasl_plaintext.plain.sasl.jaas.config": `${module}.plain.PlainLoginModule required user_${USER.username}="${USER.password}";`,
    "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config": `${module}.scram.ScramLoginModule required;`,
    "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": `${module}.scram.ScramLoginModule required;`,
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": `${directory}/broker.pem`,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": `${directory}/ca.crt`,
    "ssl.client.auth": "required",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "log.cleaner.dedupe.buffer.size": "16777216",
    ...settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
