import type { Transcript } from "@aftercall/contract/call.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";

import { clockOf, speakerOf } from "./cues.ts";
import { linesOf, wordsOf } from "./lines.ts";

/** The transcript as people read it: a line for each turn and each thing that happened, with its time where it has one. */
export function plainTextOf(transcript: Transcript, moments: readonly CallMoment[]): string {
  const head = transcript.turns.length === 0 && transcript.text !== "" ? `${transcript.text}\n` : "";
  const lines = linesOf(transcript, moments).map((line) => {
    const at = line.at === null ? "" : `[${clockOf(line.at, ".").slice(0, 8)}] `;
    return `${at}${line.turn ? `${speakerOf(line.turn)}: ${line.turn.text}` : `* ${wordsOf(line.moment)}`}\n`;
  });
  return head + lines.join("");
}
