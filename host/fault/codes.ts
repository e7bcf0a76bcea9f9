/**
 * Every code a fault can carry: what happened, and what its reader can do about it. The code is also the condition
 * reason, the event reason, the metric label and the heading in docs/reference/faults.md, which is written from this table.
 */
export const FAULTS = {
  PolicyInvalid: {
    means: "The policy says something that cannot be meant.",
    remedy: "Correct the field that the message names.",
  },
  NotSupported: {
    means: "The policy asks for a part of the resource that this version does not act on.",
    remedy: "Remove the field that the message names, or use what the message offers instead.",
  },
  IdentityInvalid: {
    means: "A call for a tenant was about to be made without a well-formed service account.",
    remedy: "Set spec.serviceAccountName to a service account of the policy's namespace.",
  },
  TargetNotFound: {
    means: "A node of the target does not exist, or has no scale subresource.",
    remedy: "Create the object, or correct the node's ref.",
  },
  TargetUnavailable: {
    means:
      "The application's own interface did not answer, or the application is not in a state to be scaled, such as a job that restarts. It stays as it is.",
    remedy: "None is needed: it is asked again in the next pass. Look at the application if it lasts.",
  },
  TargetUnsuitable: {
    means: "The application cannot be scaled as it is set up.",
    remedy: "Set it up as the message says.",
  },
  FieldConflict: {
    means: "Another tool owns the field that holds the parallelism, so nothing was written.",
    remedy: "Take the field out of what the other tool applies, or leave the application to it.",
  },
  TargetOwned: {
    means:
      "Another autoscaler scales the target, or an older policy: this one makes no decisions, so that the two do not fight.",
    remedy: "Delete the other, or name another target: this policy goes on by itself then.",
  },
  Forbidden: {
    means: "The policy's service account may not do what the policy needs.",
    remedy: "Bind the account to a Role with get on the target, and get and update on its scale subresource.",
  },
  Conflict: {
    means: "The target changed between the read and the write, so nothing was written.",
    remedy: "None is needed: the next pass decides on the new state.",
  },
  ClusterUnavailable: {
    means: "The API server did not answer, or asked to come back later.",
    remedy: "None is needed: calls are repeated with growing pauses.",
  },
  ArtifactNotFound: {
    means: "The registry does not have the artifact.",
    remedy: "Push the algorithm, or correct spec.algorithm.artifact.",
  },
  ArtifactDenied: {
    means: "The registry refused the credentials, or none were given.",
    remedy: "Name a kubernetes.io/dockerconfigjson Secret in spec.algorithm.pullSecrets.",
  },
  ArtifactUnavailable: {
    means: "The registry could not be reached or broke off. A digest that already runs keeps running.",
    remedy: "None is needed: the pull is repeated. Look at the registry if it lasts.",
  },
  DigestMismatch: {
    means: "The bytes that arrived do not have the digest that was asked for; they were thrown away.",
    remedy: "Push the algorithm again and use the digest that the push prints.",
  },
  ArtifactInvalid: {
    means:
      "The artifact is not an algorithm: not a core WebAssembly module, or with imports, exports or sizes that are refused.",
    remedy: "Run `sluice inspect` on the module: it names the same problem.",
  },
  ConfigInvalid: {
    means: "spec.algorithm.config does not fit the schema inside the algorithm.",
    remedy: "Correct the field that the message names; `sluice inspect` prints the schema.",
  },
  SourceUnavailable: {
    means: "A source could not be read: no connection, a time-out or an error answer.",
    remedy: "Check that the service and its port exist in the policy's namespace and answer.",
  },
  SourceInvalid: {
    means: "A source answered with something that is not a finite number.",
    remedy: "Correct the query: NaN and infinities are refused, never used.",
  },
  DeadlineExceeded: {
    means:
      "A step used more processor time or wall time than its limit; its sandbox was killed. When that is, is not always the same.",
    remedy: "Make the algorithm do less in a step, or ask for a higher limit.",
  },
  FuelExhausted: {
    means:
      "A step burned more fuel than it may: an endless loop, or too much work. The same input does so on every machine.",
    remedy: "Make the algorithm do less in a step: fewer or shorter loops over its input.",
  },
  StackExceeded: {
    means:
      "A step called functions inside functions until the stack was full. How deep that is, is not always the same.",
    remedy: "Bound the depth of recursion in the algorithm.",
  },
  MemoryExceeded: {
    means: "A step asked for more memory than its limit.",
    remedy: "Make the algorithm use less memory.",
  },
  InputTooLarge: {
    means: "The input of a step is above its limit.",
    remedy: "Offer less: fewer sources, a shorter history.",
  },
  GuestTrapped: {
    means: "The algorithm trapped: an abort, a failed check, an access out of bounds.",
    remedy: "Read the message: it is the algorithm's own.",
  },
  GuestFailed: {
    means: "The algorithm reported an error of its own.",
    remedy: "Read the message: it is the algorithm's own.",
  },
  OutputInvalid: {
    means: "A step returned something that its contract does not allow, or more than its limit.",
    remedy: "Correct the algorithm: `pdk/schema` has the shape of every answer.",
  },
  EffectDenied: {
    means: "The algorithm asked for something over HTTP that is not granted, or for more than it may.",
    remedy:
      "Add a rule under spec.algorithm.egress, and for a host outside the cluster one in the Tenant; or name it under spec.sources.",
  },
  CredentialUnavailable: {
    means:
      "A credential that a request needs cannot be used: it or its Secret is missing, a key is missing or cannot be sent, or it is of a kind that HTTP does not have.",
    remedy: "Correct the Credential, or its Secret, that the message names.",
  },
  Nondeterministic: {
    means: "A step that was run again asked for something else than the first time.",
    remedy:
      "Let a step's requests follow from its input and from earlier answers alone; give maps a fixed order.",
  },
  SandboxLost: {
    means: "The sandbox process ended without an answer.",
    remedy: "None is needed: another takes its place and the pass is repeated.",
  },
  BreakerOpen: {
    means: "The algorithm is not run for a while: its last passes each cost a process or a deadline.",
    remedy:
      "Correct the algorithm or its config: a new digest or a changed policy is run at once. Otherwise it is tried again at the time that the message names.",
  },
  EngineBusy: {
    means: "No sandbox was free before the pass had to end.",
    remedy: "Raise the number of sandboxes, or lengthen intervals.",
  },
  StoreUnavailable: {
    means: "Knowledge could not be read or written, so nothing was scaled.",
    remedy: "Check the volume that holds the knowledge file, or the PostgreSQL server.",
  },
  KnowledgeCorrupt: {
    means:
      "A record of knowledge does not match its checksum; it was set aside, the rest is used. If it was the newest of a policy, nothing of that policy shrinks before its windows have passed.",
    remedy:
      "None is needed for one record. If it happens again, check the volume that holds the knowledge file.",
  },
  TargetDrifted: {
    means: "Somebody else has set another number on a node of the target, after this policy had written one.",
    remedy:
      "None is needed: by ownership.onDrift the next decision goes on from there, or the node is left to them. To take it back, annotate the policy with sluice.dev/take-back=true.",
  },
  NotRestored: {
    means:
      "A policy with ownership.onDelete: Restore was deleted, and what ran before it could not be brought back on every node.",
    remedy: "Scale the nodes that the message names by hand.",
  },
  NotLeader: {
    means: "This replica may not write for the policy now: another one may, or is about to.",
    remedy: "None is needed: the decision stays open, and the replica that may write finishes it.",
  },
  DecisionAbandoned: {
    means:
      "A decision was interrupted, and what was left of it was too old or no longer what the policy says.",
    remedy: "None is needed: the next pass decides on what is there.",
  },
  AdmissionDenied: {
    means: "An admission webhook or policy of the cluster refused the new number.",
    remedy:
      "Ask who runs the webhook or policy that the message names, or set guardrails.bounds to what it allows.",
  },
  AdmissionChanged: {
    means: "An admission webhook of the cluster wrote another number than the one that was decided.",
    remedy: "Set guardrails.bounds to what the webhook allows.",
  },
  QuotaExceeded: {
    means: "A quota of the namespace keeps pods from being created.",
    remedy: "Raise the ResourceQuota that the message names, or lower the node's max.",
  },
  PodsNotCreated: {
    means: "Pods of a node are not created; the message is what the cluster says of it.",
    remedy: "Read the message, and the events of the target.",
  },
  SettleTimeout: {
    means: "A change did not come to serve within guardrails.settle.timeout.",
    remedy: "Look at the pods of the node: why they are not Ready, or not created, stands in their events.",
  },
  PortTaken: {
    means: "The port of the console is in use by another process, or may not be opened.",
    remedy: "Start with `--port N` for another port.",
  },
  UsageInvalid: {
    means: "The command line says something that cannot be meant.",
    remedy: "Run the command with --help.",
  },
  Internal: {
    means: "The host met something that it should not have: a defect of its own.",
    remedy: "Please report it with the log line.",
  },
} as const;

export type FaultCode = keyof typeof FAULTS;
