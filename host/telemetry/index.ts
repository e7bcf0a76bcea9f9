export { logger, type Logger, type LogLevel } from "./log.ts";
export { telemetry, type Telemetry } from "./metrics.ts";
