export { objectOf, type Edge, type Topology, type TopologyNode } from "./topology.ts";
export {
  DIMENSIONS,
  hasShape,
  reshapeOf,
  spellAmount,
  spellMove,
  takenBack,
  type Dimension,
  type Reshape,
  type Resources,
} from "./resources.ts";
