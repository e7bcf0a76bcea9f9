export type { Topology, TopologyNode, Edge } from "./topology.ts";
