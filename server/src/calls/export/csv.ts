import type { Transcript } from "@aftercall/contract/call.ts";

/** The transcript as a table, one turn a row. UTF-8 with a byte order mark: without it Excel shows Hebrew as gibberish. */
export function csvOf(transcript: Transcript): string {
  const rows = transcript.turns.map(({ role, start_ms, end_ms, text, confidence }, turn) =>
    [turn, role, start_ms ?? "", end_ms ?? "", confidence ?? "", text].map(cellOf).join(","),
  );
  return `\uFEFF${["turn,role,start_ms,end_ms,confidence,text", ...rows].join("\r\n")}\r\n`;
}

/** RFC 4180; what a spreadsheet would run as a formula is text (OWASP, CSV injection). */
function cellOf(value: string | number): string {
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
