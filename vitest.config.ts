import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // What is waited for comes within a moment; where others have the processor, within seconds.
    expect: { poll: { timeout: 20_000 } },
    include: ["test/**/*.test.ts"],
    exclude: ["test/full/**"],
    globalSetup: ["./test/world/global-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // Two cores: more at a time would only make each slower.
    maxWorkers: 2,
  },
});
