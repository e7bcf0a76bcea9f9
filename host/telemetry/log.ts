import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger } from "pino";

export type { Logger } from "pino";
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

const LIMITS = {
  // What is longer is a document, and a document does not belong in a log line.
  textCharacters: 1_024,
  fields: 32,
  depth: 4,
  // Lines that wait for a reader that does not read; those that do not fit are lost, the host goes on.
  waitingBytes: 1_024 * 1_024,
} as const;

const STDERR = 2;
const HIDDEN = "[hidden]";
const SECRET_NAME = /authorization|password|passwd|secret|token|cookie|credential|private.?key|api.?key/i;
/** Secrets by their shape, wherever they stand: under an innocent name, in a message, in an error of a library. */
const SECRET_SHAPES: readonly RegExp[] = [
  /\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g,
  /\b(?:bearer|basic)\s+[\w.~+/=-]{8,}/gi,
  /(?<=:\/\/)[^\s/@]+:[^\s/@]+(?=@)/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];

/**
 * Writes JSON lines to stderr, or to `stream`. Every text is cut to 1,024 characters and freed of control characters and
 * of what has the shape of a secret; what has the name of one is hidden whole. A reader that stalls loses lines and
 * never stalls the host.
 */
export function logger(level: LogLevel, stream: DestinationStream = toStderr()): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => cleanFields(fields, 0),
      },
      // Errors are taken apart above, with everything else.
      serializers: { err: (parts: unknown) => parts },
      hooks: {
        logMethod(given, method) {
          // One message, ready to print: a text from elsewhere is never a format.
          const [first, second] = given as unknown as [unknown, unknown];
          if (typeof first === "string") return method.call(this, "%s", clean(first));
          const fields = first instanceof Error ? { err: first } : (first as object);
          const message =
            typeof second === "string" ? second : first instanceof Error ? first.message : undefined;
          return message === undefined
            ? method.call(this, fields)
            : method.call(this, fields, "%s", clean(message));
        },
      },
    },
    stream,
  );
}

const toStderr = () => destination({ fd: STDERR, sync: false, minLength: 0, maxLength: LIMITS.waitingBytes });

function cleanFields(fields: object, depth: number): Record<string, unknown> {
  const kept = Object.entries(fields).slice(0, LIMITS.fields);
  return Object.fromEntries(
    kept.map(([name, value]) => [clean(name), SECRET_NAME.test(name) ? HIDDEN : cleanValue(value, depth)]),
  );
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return clean(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return cleanFields(partsOf(value), depth + 1);
  if (value instanceof Date) return value;
  if (depth >= LIMITS.depth) return "[deeper]";
  if (Array.isArray(value))
    return value.slice(0, LIMITS.fields).map((one: unknown) => cleanValue(one, depth + 1));
  return cleanFields(value, depth + 1);
}

/** What helps of an error; the rest of what libraries attach to theirs is requests, headers and bodies. */
const partsOf = (error: Error) => ({
  type: error.name,
  message: error.message,
  ...("code" in error ? { code: error.code } : {}),
  stack: error.stack,
});

function clean(text: string): string {
  const hidden = SECRET_SHAPES.reduce(
    (left, shape) => left.replace(shape, HIDDEN),
    text.slice(0, 4 * LIMITS.textCharacters),
  );
  const printable = hidden.replace(/\p{C}+/gu, " ");
  return printable.length > LIMITS.textCharacters
    ? `${printable.slice(0, LIMITS.textCharacters)}…`
    : printable;
}
