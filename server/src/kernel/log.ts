import { type Logger, pino, stdSerializers } from "pino";

export type Log = Logger;
export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

/** Where lines go; each call gets one whole line with its line break. */
export type LogDestination = { write(line: string): void };

/**
 * Structured logs, one JSON object per line. Messages are constant texts; what varies is a field. What may hold personal
 * data (numbers, names, transcripts) goes under `pii` and is never printed; secrets are cut out wherever they appear.
 */
export function createLog(options: { level?: LogLevel; destination?: LogDestination } = {}): Log {
  const destination = options.destination ?? pino.destination(1);
  return pino(
    {
      level: options.level ?? "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => hideIn(fields, 0) },
      serializers: { err: (error: Error) => hideIn({ ...stdSerializers.err(error) }, 0) },
    },
    { write: (line) => destination.write(escapeControls(line)) },
  );
}

/** Nothing is logged: for tests and tools. */
export function silentLog(): Log {
  return createLog({ level: "silent" });
}

const hiddenNames: ReadonlySet<string> = new Set([
  "pii",
  "authorization",
  "cookie",
  "secret",
  "secrets",
  "token",
  "password",
  "api_key",
  "apiKey",
  "transcript",
  "body",
]);

/** Logged things are small; what lies deeper than this is cut off rather than searched. */
const depthMax = 4;

/**
 * A copy of `fields` without what must not be seen, at any depth; the same object where there is nothing to hide.
 * A walk of our own costs 1 µs a line, where pino's redaction with wildcards costs 30 µs, as much as taking a webhook in.
 */
function hideIn(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | null = null;
  for (const [name, value] of Object.entries(fields)) {
    const shown = hiddenNames.has(name) ? "[hidden]" : shownOf(value, depth);
    if (shown === value) continue;
    copy ??= { ...fields };
    copy[name] = shown;
  }
  return copy ?? fields;
}

function shownOf(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || value instanceof Error || value instanceof Date) return value;
  if (depth >= depthMax) return "[deep]";
  if (Array.isArray(value)) return value.map((item) => shownOf(item, depth + 1));
  return hideIn(value as Record<string, unknown>, depth + 1);
}

/**
 * JSON already escapes CR, LF and ESC. The C1 controls (U+009B starts a terminal command in 8-bit mode) and the Unicode line
 * breaks are legal in JSON and would still reach a terminal. They can only stand inside strings, so the line stays valid.
 */
function escapeControls(line: string): string {
  return line.replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
