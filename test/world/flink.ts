import { execFile } from "node:child_process";
import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { classPath } from "./java.ts";
import { freePorts } from "./port.ts";
import { supervise } from "./supervisor.ts";

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, "flink");

/** Flink's jars and the classes of the test job, for `java -cp`. Throws `NoJava` where they cannot be had. */
export async function flinkFiles(): Promise<{ readonly jars: string; readonly classes: string }> {
  const [jars = "", classes = ""] = (await classPath("flink", SOURCE)).split(delimiter);
  return { jars, classes };
}

/** What of Flink a test wants otherwise. */
export interface FlinkOptions {
  /** TaskManagers that are started with it. Default 1. */
  readonly taskManagers?: number;
  /** Slots of a TaskManager. Default 2. */
  readonly slots?: number;
  /** Options of Flink over those of the test. */
  readonly config?: Readonly<Record<string, string>>;
  /** The only job, which is there as soon as there are slots: reactive mode is for such clusters alone. Default: none. */
  readonly application?: JobOptions;
}

/** A job of the tests: numbers, keyed work that sleeps, a sink. */
interface JobOptions {
  readonly name: string;
  /** Records a second; `load` changes it. Default 20. */
  readonly perSecond?: number;
  /** What a record costs in the keyed operator. Default 5 ms. */
  readonly sleepMs?: number;
  /** Default 128. */
  readonly keyGroups?: number;
  /** Slot sharing group of the keyed operator and the sink. Default that of the source. */
  readonly slotGroup?: string;
}

/** A real Flink session cluster on loopback, with the adaptive scheduler. */
export interface Flink extends AsyncDisposable {
  /** Where the JobManager answers. */
  readonly url: URL;
  /** A call of its REST interface; throws unless it answers with a success. */
  readonly rest: (method: string, path: string, body?: object) => Promise<unknown>;
  /** The program and arguments of a TaskManager that joins under this name, and of this many MB. Default 432. */
  readonly taskManager: (
    name: string,
    processMb?: number,
  ) => { readonly program: string; readonly arguments: readonly string[] };
  readonly startTaskManager: (name: string) => Promise<void>;
  /** Ends a TaskManager at once. */
  readonly killTaskManager: (name: string) => Promise<void>;
  /** Ends the JobManager at once, and with it its jobs. */
  readonly killJobManager: () => Promise<void>;
  readonly startJobManager: () => Promise<void>;
  /** Of the processes that were started last, TaskManagers by their names. */
  readonly pids: () => { readonly jobManager: number; readonly taskManagers: ReadonlyMap<string, number> };
  /** Starts a job and returns its id when all of it runs. */
  readonly start: (job: JobOptions) => Promise<string>;
  /** How many records a second the job of this name is offered from now on, which is when, in ms since 1970. */
  readonly load: (name: string, perSecond: number) => Promise<number>;
  /** Ends a job and returns when it has ended. */
  readonly cancel: (id: string) => Promise<void>;
}

const OPENS = ["lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent"];
const JAVA = [
  "-XX:+UseSerialGC",
  // They live for a minute: the better compiler would not pay.
  "-XX:TieredStopAtLevel=1",
  "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
  "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
  "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
  "--add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED",
  ...OPENS.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
];
const JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint";
const APPLICATION = "dev.sluice.test.Application";
const TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner";
/** What a TaskManager has where nobody says how much. */
const PROCESS_MB = 432;
/** What the start scripts of a distribution work out from the size of the process. */
const memoryOf = (processMb: number) => ({
  "taskmanager.cpu.cores": "1.0",
  "taskmanager.memory.task.heap.size": `${96 + processMb - PROCESS_MB}m`,
  "taskmanager.memory.task.off-heap.size": "0m",
  "taskmanager.memory.network.min": "32m",
  "taskmanager.memory.network.max": "32m",
  "taskmanager.memory.managed.size": "16m",
  "taskmanager.memory.framework.heap.size": "64m",
  "taskmanager.memory.framework.off-heap.size": "64m",
  "taskmanager.memory.jvm-metaspace.size": "96m",
  "taskmanager.memory.jvm-overhead.min": "64m",
  "taskmanager.memory.jvm-overhead.max": "64m",
});

const configOf = (directory: string, rest: number, rpc: number, slots: number) => ({
  "jobmanager.rpc.address": "localhost",
  "jobmanager.rpc.port": `${rpc}`,
  "jobmanager.bind-host": "127.0.0.1",
  "jobmanager.memory.process.size": "900m",
  "jobmanager.scheduler": "adaptive",
  // As in an application cluster: only there a job that shrinks keeps to as few TaskManagers as will do.
  "execution.target": "embedded",
  "jobmanager.adaptive-scheduler.submission.resource-wait-timeout": "5 min",
  "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout": "0 s",
  // With the defaults a change takes up to a minute.
  "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling": "1 s",
  "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout": "1 s",
  "jobmanager.adaptive-scheduler.rescale-trigger.max-delay": "1 s",
  "taskmanager.bind-host": "127.0.0.1",
  "taskmanager.host": "localhost",
  "taskmanager.numberOfTaskSlots": `${slots}`,
  // A slot that is free again is a job's for 50 s by default.
  "slot.idle.timeout": "1000",
  "heartbeat.interval": "1000",
  "heartbeat.timeout": "6000",
  "rest.address": "localhost",
  "rest.bind-address": "127.0.0.1",
  "rest.port": `${rest}`,
  "metrics.fetcher.update-interval": "500",
  "io.tmp.dirs": join(directory, "tmp"),
});

const LOGGING = `rootLogger.level = INFO
rootLogger.appenderRef.console.ref = C
appender.console.name = C
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1} - %m%n
`;

/** Starts a session cluster; about ten seconds and 0.6 GB. Throws `NoJava` where there is none to be had. */
export async function flink({
  taskManagers = 1,
  slots = 2,
  config = {},
  application,
}: FlinkOptions = {}): Promise<Flink> {
  const files = await flinkFiles();
  const supervisor = await supervise();
  const { directory, stop } = supervisor;
  try {
    const [rest = 0, rpc = 0] = await freePorts(2);
    const conf = join(directory, "conf");
    await Promise.all([mkdir(conf), mkdir(join(directory, "tmp"))]);
    const options = { ...configOf(directory, rest, rpc, slots), ...config };
    await writeFile(join(conf, "config.yaml"), yamlOf(options));
    await writeFile(join(conf, "log4j.properties"), LOGGING);
    await run("jar", ["cf", join(directory, "job.jar"), "-C", files.classes, "."]);
    const log = `-Dlog4j.configurationFile=file:${join(conf, "log4j.properties")}`;
    const java = (heap: string, main: string) => [
      heap,
      ...JAVA,
      log,
      "-cp",
      application === undefined ? files.jars : `${files.jars}${delimiter}${files.classes}`,
      main,
      "--configDir",
      conf,
    ];
    const taskManager: Flink["taskManager"] = (name, processMb = PROCESS_MB) => ({
      program: "java",
      arguments: [
        ...java(`-Xmx${160 + processMb - PROCESS_MB}m`, TASK_MANAGER),
        ...Object.entries({ ...memoryOf(processMb), "taskmanager.resource-id": name }).flatMap(
          ([key, value]) => ["-D", `${key}=${value}`],
        ),
      ],
    });
    const url = new URL(`http://127.0.0.1:${rest}`);
    if (application !== undefined)
      await writeFile(rateOf(directory, application.name), rateLine(Date.now(), application.perSecond ?? 20));
    let jobManager = 0;
    const startJobManager = async () => {
      const own =
        application === undefined
          ? java("-Xmx256m", JOB_MANAGER)
          : [...java("-Xmx256m", APPLICATION), ...argumentsOf(application, directory)];
      ({ pid: jobManager } = await supervisor.start("jobmanager", own, "java"));
      await supervisor.ready("jobmanager", `${url.href}overview`);
    };
    const taskManagerPids = new Map<string, number>();
    const startTaskManager = async (name: string) => {
      const { pid } = await supervisor.start(name, taskManager(name).arguments, "java");
      taskManagerPids.set(name, pid);
    };
    await Promise.all([
      startJobManager(),
      ...Array.from({ length: taskManagers }, (_, at) => startTaskManager(`tm-${at + 1}`)),
    ]);
    return {
      ...{ url, taskManager, startTaskManager, startJobManager },
      pids: () => ({ jobManager, taskManagers: taskManagerPids }),
      ...jobsOf(url, directory),
      killJobManager: () => supervisor.kill("jobmanager"),
      killTaskManager: (name) => supervisor.kill(name),
      [Symbol.asyncDispose]: stop,
    };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

const yamlOf = (options: Readonly<Record<string, string>>) =>
  Object.entries(options)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("");

const JOB = "dev.sluice.test.SleepyJob";
const rateOf = (directory: string, name: string) => join(directory, `${name}.rate`);
/** So many records a second are offered since then. */
const rateLine = (sinceMs: number, perSecond: number) => `${sinceMs} ${perSecond}\n`;
const argumentsOf = (
  { name, sleepMs = 5, keyGroups = 128, slotGroup = "default" }: JobOptions,
  directory: string,
) => [name, rateOf(directory, name), `${sleepMs}`, `${keyGroups}`, slotGroup];

function jobsOf(url: URL, directory: string): Pick<Flink, "rest" | "start" | "load" | "cancel"> {
  const rest: Flink["rest"] = async (method, path, body) => {
    const headers = { "content-type": "application/json" };
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    const answer = await fetch(new URL(path, url), { method, ...sent });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  };
  const load: Flink["load"] = async (name, perSecond) => {
    const sinceMs = Date.now();
    await appendFile(rateOf(directory, name), rateLine(sinceMs, perSecond));
    return sinceMs;
  };
  return {
    ...{ rest, load },
    start: async (job) => {
      const { name, perSecond = 20 } = job;
      await rm(rateOf(directory, name), { force: true });
      await load(name, perSecond);
      const jar = await upload(url, join(directory, "job.jar"));
      const run = { entryClass: JOB, programArgsList: argumentsOf(job, directory) };
      const { jobid } = (await rest("POST", `/jars/${jar}/run`, run)) as { jobid: string };
      await reach(async () => runs(await rest("GET", `/jobs/${jobid}`)), `job ${name} runs`);
      return jobid;
    },
    cancel: async (id) => {
      await rest("PATCH", `/jobs/${id}?mode=cancel`);
      await reach(async () => stateOf(await rest("GET", `/jobs/${id}`)) === "CANCELED", "the job has ended");
    },
  };
}

async function upload(url: URL, jar: string): Promise<string> {
  const form = new FormData();
  form.set("jarfile", new Blob([await readFile(jar)]), "job.jar");
  const answer = await fetch(new URL("/jars/upload", url), { method: "POST", body: form });
  const { filename } = (await answer.json()) as { filename: string };
  return filename.slice(filename.lastIndexOf("/") + 1);
}

interface JobAnswer {
  readonly state: string;
  readonly vertices: readonly { readonly status: string }[];
}
const stateOf = (answer: unknown) => (answer as JobAnswer).state;
const runs = (answer: unknown) =>
  stateOf(answer) === "RUNNING" && (answer as JobAnswer).vertices.every(({ status }) => status === "RUNNING");

const REACH_MS = 60_000;
async function reach(so: () => Promise<boolean>, what: string): Promise<void> {
  for (const endMs = performance.now() + REACH_MS; performance.now() < endMs; await sleep(100))
    if (await so()) return;
  throw new Error(`not within ${REACH_MS} ms: ${what}`);
}
