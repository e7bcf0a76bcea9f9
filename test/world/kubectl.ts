import { spawn } from "node:child_process";

/** Runs kubectl with these arguments, `input` on its standard input; returns its output, throws what it says of a failure. */
export type Kubectl = (options: readonly string[], given?: { readonly input?: string }) => Promise<string>;

/** Says where kubectl is, which cluster it talks to, and where it may cache what it learns of its API. */
export interface Setting {
  readonly testworld: string;
  readonly kubeconfig: string;
  readonly cache?: string;
}

/** A kubectl for one cluster. It ends with this process, also when it is in the middle of a long wait. */
export function kubectlFor({ testworld, kubeconfig, cache }: Setting): Kubectl {
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    KUBERC: "off",
    // The fourth descriptor below is a pipe; testworld ends when it closes.
    SLUICE_LIFELINE: "3",
    ...(cache === undefined ? {} : { KUBECACHEDIR: cache }),
  };
  return (options, { input = "" } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(testworld, ["kubectl", ...options], {
        env,
        stdio: ["pipe", "pipe", "pipe", "pipe"],
      });
      let [output, complaint] = ["", ""];
      child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
      child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint += text));
      // It may end before it has read all that it is given.
      child.stdin?.on("error", () => undefined).end(input);
      child.on("error", reject);
      child.on("close", (code) => {
        if (code === 0) resolve(output);
        else reject(new Error(`kubectl ${options.join(" ")}: ${complaint.trim() || `exit code ${code}`}`));
      });
    });
}
