export { Algorithms, type Admission, type Loaded, type LoadedArtifact, type Registry } from "./algorithms.ts";
