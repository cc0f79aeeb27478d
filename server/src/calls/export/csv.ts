import type { Transcript } from "@aftercall/contract/call.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";

import { linesOf, wordsOf } from "./lines.ts";

/**
 * The transcript as a table, one turn a row, and a row without a number for each thing that happened besides, its kind where the
 * role is. UTF-8 with a byte order mark: without it Excel shows Hebrew as gibberish.
 */
export function csvOf(transcript: Transcript, moments: readonly CallMoment[]): string {
  const rows = linesOf(transcript, moments).map((line) => {
    if (!line.turn) {
      const { kind, at_ms, end_ms } = line.moment;
      return ["", kind, at_ms ?? "", end_ms ?? "", "", wordsOf(line.moment)].map(cellOf).join(",");
    }
    const { role, start_ms, end_ms, text, confidence } = line.turn;
    return [line.number, role, start_ms ?? "", end_ms ?? "", confidence ?? "", text].map(cellOf).join(",");
  });
  return `\uFEFF${["turn,role,start_ms,end_ms,confidence,text", ...rows].join("\r\n")}\r\n`;
}

/** RFC 4180; what a spreadsheet would run as a formula is text (OWASP, CSV injection). */
function cellOf(value: string | number): string {
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
