import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prometheusBinary } from "./build.ts";
import { freePort } from "./port.ts";
import { supervise } from "./supervisor.ts";

/** What a Prometheus server scrapes. */
interface PrometheusOptions {
  /** Addresses (`127.0.0.1:20123`) to scrape every second, as the job `world`. */
  readonly targets?: readonly string[];
  /** A whole configuration (YAML) instead. */
  readonly config?: string;
  /** Who may ask, with the bcrypt hash of the password; without it, everybody. */
  readonly users?: Readonly<Record<string, string>>;
}

/** A real Prometheus server on loopback, empty at first; it also takes remote writes. */
export interface Prometheus extends AsyncDisposable {
  readonly url: string;
  /** Ends the server and removes what it has stored. */
  readonly stop: () => Promise<void>;
}

/** Starts a Prometheus server; returns when it answers queries. */
export async function prometheus({
  targets = [],
  config = scraping(targets),
  users,
}: PrometheusOptions): Promise<Prometheus> {
  const program = await prometheusBinary();
  const supervisor = await supervise();
  const { directory, stop } = supervisor;
  try {
    const address = `127.0.0.1:${await freePort()}`;
    const url = `http://${address}`;
    await writeFile(join(directory, "prometheus.yml"), config);
    const flags = [
      `--config.file=${join(directory, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      `--web.listen-address=${address}`,
      "--web.enable-remote-write-receiver",
      // It would wait five seconds before it scrapes for the first time.
      "--scrape.discovery-reload-interval=100ms",
      "--log.level=warn",
      ...(users === undefined ? [] : [`--web.config.file=${join(directory, "web.yml")}`]),
    ];
    await writeFile(join(directory, "web.yml"), JSON.stringify({ basic_auth_users: users ?? {} }));
    await supervisor.start("prometheus", flags, program);
    // Whoever may not ask is not told whether it is ready.
    const isReady = users === undefined ? {} : { is: (status: number) => status === 401 };
    await supervisor.ready("prometheus", `${url}/-/ready`, isReady);
    return { url, stop, [Symbol.asyncDispose]: stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

function scraping(targets: readonly string[]): string {
  return JSON.stringify({
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [{ job_name: "world", static_configs: [{ targets }] }],
  });
}
