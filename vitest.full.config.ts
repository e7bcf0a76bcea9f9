import { defineConfig } from "vitest/config";
import usual from "./vitest.config.ts";

// `npm run test:full`: what takes longer than a change should wait. One file at a time: each has a control plane of its own.
export default defineConfig({
  test: { ...usual.test, include: ["test/full/**/*.test.ts"], exclude: [], maxWorkers: 1 },
});
