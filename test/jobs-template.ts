/** A pod on a node that nobody runs: a test says what becomes of it. */
export const POD = {
  metadata: { labels: { app: "work" } },
  spec: {
    nodeName: "nobody",
    restartPolicy: "Never",
    containers: [{ name: "main", image: "example.invalid/work:1" }],
  },
};
/** What an account may do that makes jobs. */
export const RULES = [
  { apiGroups: ["batch"], resources: ["jobs"], verbs: ["get", "list", "create", "delete"] },
  { apiGroups: ["batch"], resources: ["cronjobs"], verbs: ["get"] },
  { apiGroups: [""], resources: ["podtemplates"], verbs: ["get"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
];
