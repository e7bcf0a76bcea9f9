export { logger, type Logger, type LogLevel } from "./log.ts";
export { NO_TRACES, traces, type Traces } from "./trace.ts";
export { watched } from "./watched.ts";
export type { Figures } from "./work.ts";
export { telemetry, type Telemetry } from "./metrics.ts";
