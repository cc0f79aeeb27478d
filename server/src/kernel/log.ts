import { type Logger, pino } from "pino";

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
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: hiddenPaths(), censor: "[hidden]" },
    },
    { write: (line) => destination.write(escapeControls(line)) },
  );
}

/** Nothing is logged: for tests and tools. */
export function silentLog(): Log {
  return createLog({ level: "silent" });
}

const hiddenNames = [
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
] as const;

/** At the top of a line and one level below, where errors, headers and requests are. */
function hiddenPaths(): string[] {
  return hiddenNames.flatMap((name) => [name, `*.${name}`, `*.headers.${name}`]);
}

/**
 * JSON already escapes CR, LF and ESC. The C1 controls (U+009B starts a terminal command in 8-bit mode) and the Unicode line
 * breaks are legal in JSON and would still reach a terminal. They can only stand inside strings, so the line stays valid.
 */
function escapeControls(line: string): string {
  return line.replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
