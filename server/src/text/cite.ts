import type { Evidence } from "@aftercall/contract/analysis/run.ts";
import type { Turn } from "@aftercall/contract/call.ts";

import { timesOf } from "./spans.ts";

/** Evidence for what is literally there: units `start` to `end` of the text of turn `index`. */
export function cite(turns: readonly Turn[], index: number, start: number, end: number): Evidence {
  const turn = turns[index];
  if (!turn) throw new RangeError(`there is no turn ${index}`);
  return {
    turn: index,
    start_char: start,
    end_char: end,
    quote: turn.text.slice(start, end),
    role: turn.role,
    ...timesOf(turn, start, end),
    verification: "exact",
  };
}

/** Evidence that is a whole turn, without the white space around it. */
export function citeTurn(turns: readonly Turn[], index: number): Evidence {
  const text = turns[index]?.text ?? "";
  const start = text.length - text.trimStart().length;
  return cite(turns, index, start, Math.max(start, text.trimEnd().length));
}
