// What a guest would do that has taken its sandbox over: it runs as JavaScript in that process, tries everything that the
// process could reach, and writes what came of it. `given` stands before it: where there is something to be found.
/* global given */
const node = (name) => process.getBuiltinModule(`node:${name}`);
const fs = node("fs");
const net = node("net");
const { root, tcp, udp, socket, abstract, secret, database, directory, decoy } = given;

const opened = (emitter, event, act) =>
  new Promise((resolve, reject) => {
    emitter.on("error", reject).on(event, () => resolve("reached"));
    act?.(emitter);
  });
const connect = (to) => opened(net.connect(to), "connect");
const read = (path) => () => fs.readFileSync(path).length;
const sql = (file, ...lines) => {
  const held = new (node("sqlite").DatabaseSync)(file);
  for (const line of lines) held.exec(line);
};

const attempts = {
  files: {
    passwd: read("/etc/passwd"),
    "passwd by its bytes": read(Buffer.from("/etc/passwd")),
    "passwd through proc": read("/proc/self/root/etc/passwd"),
    "own environ": read("/proc/self/environ"),
    "environ of the supervisor": read(`/proc/${process.ppid}/environ`),
    "memory of the supervisor": read(`/proc/${process.ppid}/mem`),
    "files of the supervisor": () => fs.readdirSync(`/proc/${process.ppid}/fd`),
    "service account": read("/var/run/secrets/kubernetes.io/serviceaccount/token"),
    secret: read(secret),
    "secret by a stream": () => opened(fs.createReadStream(secret), "open"),
    "secret by a promise": () => fs.promises.readFile(secret),
    "secret as a blob": async () => (await fs.openAsBlob(secret)).text(),
    "secret as environment": () => process.loadEnvFile(secret),
    "secret by require": () => node("module").createRequire("/x.js")(secret),
    "secret by import": () => import(secret),
    "whether it is there": () => fs.statSync(secret),
    directory: () => fs.readdirSync("/"),
    watch: () => fs.watch(directory),
    link: () => fs.symlinkSync(secret, `${root}host/engine/link`),
    operator: read(`${root}host/main.ts`),
    store: read(`${root}host/store/index.ts`),
    test: read(`${root}host/engine/../../test/breach.test.ts`),
    "other packages": read(`${root}node_modules/undici/package.json`),
    write: () => fs.writeFileSync(`${directory}/written`, "x"),
    "write own source": () => fs.writeFileSync(`${root}host/engine/written`, "x"),
    report: () => process.report.writeReport(`${directory}/written`),
    heap: () => node("v8").writeHeapSnapshot(`${directory}/written`),
    trace: () =>
      node("trace_events")
        .createTracing({ categories: ["v8"] })
        .enable(),
    "database by file": () => sql(database, "select * from t"),
    "database attached": () => sql(":memory:", `attach '${database}' as k`, "select * from k.t"),
    "database written": () => sql(":memory:", "create table t(a)", `vacuum into '${directory}/written'`),
  },
  processes: {
    spawn: () => node("child_process").spawnSync("/bin/true").error?.code ?? "reached",
    shell: () => node("child_process").execSync("true"),
    fork: () => node("child_process").fork(`${root}host/engine/sandbox/main.ts`),
    exec: () => process.execve("/bin/true", ["true"], {}),
    worker: () => new (node("worker_threads").Worker)("1", { eval: true }),
    addon: () => process.dlopen({ exports: {} }, `${directory}/a.node`),
    inspector: () => node("inspector").open(0),
    session: () => new (node("inspector").Session)().connect(),
    wasi: () => new (node("wasi").WASI)({ version: "preview1", preopens: { "/": "/" } }),
    ...Object.fromEntries(
      ["fs", "spawn_sync", "process_wrap", "tcp_wrap", "pipe_wrap", "natives"].map((name) => [
        `binding ${name}`,
        () => process.binding(name),
      ]),
    ),
  },
  network: {
    tcp: () => connect({ host: "127.0.0.1", port: tcp }),
    "tcp by IPv6": () => connect({ host: "::1", port: tcp }),
    "API server": () => connect({ host: given.address, port: tcp }),
    "metadata service": () => connect({ host: "169.254.169.254", port: 80 }),
    fetch: async () => (await fetch(`http://127.0.0.1:${tcp}/`)).status,
    udp: () =>
      new Promise((resolve, reject) =>
        node("dgram")
          .createSocket("udp4")
          .on("error", reject)
          .send("x", udp, "127.0.0.1", (error) => (error === null ? resolve("reached") : reject(error))),
      ),
    "abstract socket": () => connect({ path: `\0${abstract}` }),
    names: () => new (node("dns").promises.Resolver)({ timeout: 500, tries: 1 }).resolve4("example.com"),
  },
  user: {
    socket: () => connect({ path: socket }),
    // The kernel asks for the same right whatever the signal, and 0 does no harm.
    "signal to another": () => process.kill(decoy, 0),
    "signal to the supervisor": () => process.kill(process.ppid, 0),
    priority: () => node("os").setPriority(process.ppid, 19),
    root: () => process.setuid(0),
  },
};

const outcome = async (attempt) => {
  try {
    const came = await attempt();
    return typeof came === "string" ? came : "reached";
  } catch (thrown) {
    return thrown.code ?? thrown.cause?.code ?? thrown.name;
  }
};
const heldOpen = () =>
  Array.from({ length: 256 }, (_, fd) => fd).flatMap((fd) => {
    try {
      const stat = fs.fstatSync(fd);
      // Anonymous ones are Node's own event loops; a pipe of its own has both its ends here.
      return stat.isSocket() || stat.isFile() || stat.isDirectory() ? [fd] : [];
    } catch {
      return [];
    }
  });

const found = {
  environment: Object.keys(process.env),
  interfaces: Object.keys(node("os").networkInterfaces()),
  open: heldOpen(),
  channel: typeof process.send,
};
for (const [group, tries] of Object.entries(attempts)) {
  found[group] = {};
  for (const [name, attempt] of Object.entries(tries)) found[group][name] = await outcome(attempt);
}
fs.writeSync(1, JSON.stringify(found));
process.exit(0);
