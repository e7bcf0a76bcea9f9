// `npm run build`: compiles the algorithms to WebAssembly and lays them out as the embedded registry.
import { buildAlgorithms } from "./build/algorithms.ts";
import { buildLayout } from "./build/layout.ts";

try {
  await buildLayout(await buildAlgorithms());
} catch (thrown) {
  process.stderr.write(
    `sluice: the algorithms could not be built: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`,
  );
  process.exitCode = 1;
}
