import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Numbers that a test changes and a Prometheus server scrapes: how tests drive loads. */
export interface Exposition extends AsyncDisposable {
  /** The address to scrape, like `127.0.0.1:40123`; the path is the usual `/metrics`. */
  readonly target: string;
  /** Sets a gauge to a value, which the next scrape sees. */
  readonly set: (name: string, value: number, labels?: Readonly<Record<string, string>>) => void;
  readonly stop: () => Promise<void>;
}

/** Exposes gauges on loopback, none at first. */
export async function exposition(): Promise<Exposition> {
  const gauges = new Map<string, number>();
  const server = createServer((_, response) => {
    const lines = [...gauges].map(([series, value]) => `${series} ${spelled(value)}\n`);
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8").end(lines.join(""));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    target: `127.0.0.1:${port}`,
    set: (name, value, labels = {}) => void gauges.set(series(name, labels), value),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function series(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.sort().join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function spelled(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}
