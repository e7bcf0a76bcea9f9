/** What one node of the simulated application is: a word count, as a chain. */
interface NodeModel {
  readonly name: string;
  /** Records that one instance works off in a second. */
  readonly ratePerInstance: number;
  /** Records that leave for each that is worked off. */
  readonly selectivity: number;
}

/** Every line has four words, and one count in four goes on to the sink. */
const CHAIN: readonly NodeModel[] = [
  { name: "source", ratePerInstance: 120, selectivity: 1 },
  { name: "split", ratePerInstance: 120, selectivity: 4 },
  { name: "count", ratePerInstance: 120, selectivity: 0.25 },
  { name: "sink", ratePerInstance: 120, selectivity: 0 },
];

/** New instances serve this long after they were asked for; instances that go are gone at once. */
const SETTLE_SECONDS = 2;

export interface NodeState {
  readonly name: string;
  readonly parallelism: number;
  readonly ready: number;
  /** Until all that was asked for is ready; 0 where it is. */
  readonly settlesInSeconds: number;
  /** Records that wait before the node. */
  readonly backlog: number;
  /** Records that arrived and that were worked off since the start. */
  readonly arrived: number;
  readonly processed: number;
  /** Records a second that arrived in the last step. */
  readonly arrivalRate: number;
  /** Counts the changes of parallelism: what a write has to name. */
  readonly revision: number;
}

/** The application at an instant; nodes stand in the order in which records pass them. */
export interface AppState {
  readonly nodes: readonly NodeState[];
}

/** One instance of everything, and nothing waiting. */
export const startingState = (): AppState => ({
  nodes: CHAIN.map(({ name }) => ({
    name,
    parallelism: 1,
    ready: 1,
    settlesInSeconds: 0,
    backlog: 0,
    arrived: 0,
    processed: 0,
    arrivalRate: 0,
    revision: 1,
  })),
});

/**
 * The application `seconds` later, with that many lines a second at its source. What a node works off in a step waits
 * before the next node in the same step. No record is lost or invented.
 */
export function step(state: AppState, seconds: number, linesPerSecond: number): AppState {
  let arriving = linesPerSecond * seconds;
  return {
    nodes: state.nodes.map((node) => {
      const { ratePerInstance, selectivity } = modelOf(node.name);
      const settled = settle(node, seconds);
      const waiting = node.backlog + arriving;
      const processed = Math.min(waiting, settled.ready * ratePerInstance * seconds);
      const next: NodeState = {
        ...settled,
        backlog: waiting - processed,
        arrived: node.arrived + arriving,
        processed: node.processed + processed,
        arrivalRate: arriving / seconds,
      };
      arriving = processed * selectivity;
      return next;
    }),
  };
}

/** The application after a node was asked for another parallelism; it serves with it after two seconds. */
export function scaleNode(state: AppState, name: string, parallelism: number): AppState {
  const nodes = state.nodes.map((node) => {
    if (node.name !== name) return node;
    const ready = Math.min(node.ready, parallelism);
    const settlesInSeconds = ready === parallelism ? 0 : SETTLE_SECONDS;
    return { ...node, parallelism, ready, settlesInSeconds, revision: node.revision + 1 };
  });
  return { nodes };
}

function settle(node: NodeState, seconds: number): NodeState {
  const settlesInSeconds = Math.max(0, node.settlesInSeconds - seconds);
  // A remainder of rounding is no time that anybody waits.
  const done = settlesInSeconds < 1e-9;
  return {
    ...node,
    settlesInSeconds: done ? 0 : settlesInSeconds,
    ready: done ? node.parallelism : node.ready,
  };
}

function modelOf(name: string): NodeModel {
  const model = CHAIN.find((one) => one.name === name);
  if (model === undefined) throw new RangeError(`the application has no node ${name}`);
  return model;
}
