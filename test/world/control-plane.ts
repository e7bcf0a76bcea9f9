import { join } from "node:path";

/** Where the parts of a control plane listen and what they read and write. */
export interface Layout {
  readonly ports: Readonly<
    Record<"secure" | "etcd" | "etcdPeer" | "controllerManager" | "scheduler" | "kwok", number>
  >;
  /** The URL of the API server. */
  readonly server: string;
  readonly pki: string;
  readonly etcdData: string;
  readonly stages: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
  readonly audit: boolean;
}

/**
 * The flags of each component: one replica of everything, on loopback, without what only a cluster of several replicas or
 * one that shall survive needs (leader election, fsync, priority and fairness).
 */
export function flagsOf(layout: Layout) {
  return {
    etcd: etcd(layout),
    "kube-apiserver": apiserver(layout),
    "kube-controller-manager": controllerManager(layout),
    "kube-scheduler": scheduler(layout),
    kwok: kwok(layout),
  } as const;
}

function etcd({ ports, etcdData }: Layout): readonly string[] {
  const clients = `http://127.0.0.1:${ports.etcd}`;
  const peers = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    `--data-dir=${etcdData}`,
    "--unsafe-no-fsync",
    "--log-level=warn",
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
  ];
}

function apiserver({ ports, pki, audit, auditPolicy, auditLog }: Layout): readonly string[] {
  const at = (name: string): string => join(pki, name);
  return [
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${ports.secure}`,
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    "--service-cluster-ip-range=10.96.0.0/16",
    // Endpoints may not be loopback addresses, so the service "kubernetes" stays without one.
    "--endpoint-reconciler-type=none",
    `--tls-cert-file=${at("apiserver.crt")}`,
    `--tls-private-key-file=${at("apiserver.key")}`,
    `--client-ca-file=${at("ca.crt")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${at("sa.pub")}`,
    `--service-account-signing-key-file=${at("sa.key")}`,
    // Aggregated APIs (a metrics API for instance) are asked in the name of the user.
    `--requestheader-client-ca-file=${at("front-proxy-ca.crt")}`,
    "--requestheader-allowed-names=front-proxy",
    "--requestheader-username-headers=X-Remote-User",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    `--proxy-client-cert-file=${at("front-proxy.crt")}`,
    `--proxy-client-key-file=${at("front-proxy.key")}`,
    "--authorization-mode=Node,RBAC",
    "--allow-privileged",
    "--profiling=false",
    "--enable-priority-and-fairness=false",
    ...(audit
      ? [`--audit-policy-file=${auditPolicy}`, `--audit-log-path=${auditLog}`, "--audit-log-format=json"]
      : []),
  ];
}

function controllerManager({ ports, pki }: Layout): readonly string[] {
  const at = (name: string): string => join(pki, name);
  const kubeconfig = at("kube-controller-manager.kubeconfig");
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${ports.controllerManager}`,
    `--tls-cert-file=${at("apiserver.crt")}`,
    `--tls-private-key-file=${at("apiserver.key")}`,
    "--leader-elect=false",
    "--use-service-account-credentials",
    `--root-ca-file=${at("ca.crt")}`,
    `--service-account-private-key-file=${at("sa.key")}`,
    `--cluster-signing-cert-file=${at("ca.crt")}`,
    `--cluster-signing-key-file=${at("ca.key")}`,
    "--horizontal-pod-autoscaler-sync-period=5s",
    "--concurrent-serviceaccount-token-syncs=1",
    // Twenty a second by default: hundreds of pods would wait for that, not for what is tested.
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
  ];
}

function scheduler({ ports, pki }: Layout): readonly string[] {
  return [
    `--kubeconfig=${join(pki, "kube-scheduler.kubeconfig")}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${ports.scheduler}`,
    `--tls-cert-file=${join(pki, "apiserver.crt")}`,
    `--tls-private-key-file=${join(pki, "apiserver.key")}`,
    "--leader-elect=false",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
  ];
}

function kwok({ ports, pki, stages }: Layout): readonly string[] {
  return [
    `--config=${stages}`,
    `--kubeconfig=${join(pki, "kubeconfig")}`,
    // The others are somebody else's: see processes.ts.
    "--manage-all-nodes=false",
    "--manage-nodes-with-label-selector=type=kwok",
    "--node-lease-duration-seconds=40",
    `--server-address=127.0.0.1:${ports.kwok}`,
  ];
}
