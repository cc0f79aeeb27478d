import type { Transcript } from "@aftercall/contract/call.ts";

import { clockOf, speakerOf } from "./cues.ts";

/** The transcript as people read it: a line for each turn, with its time where it has one. */
export function plainTextOf(transcript: Transcript): string {
  if (transcript.turns.length === 0) return `${transcript.text}\n`;
  return transcript.turns
    .filter(({ text }) => text !== "")
    .map((turn) => {
      const at = turn.start_ms === null ? "" : `[${clockOf(turn.start_ms, ".").slice(0, 8)}] `;
      return `${at}${speakerOf(turn)}: ${turn.text}\n`;
    })
    .join("");
}
