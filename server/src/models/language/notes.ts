import { GiveUp } from "../failure.ts";
import { ask } from "./ask.ts";
import { isVerified } from "./evidence.ts";
import type { Generate } from "./generate.ts";
import { framed } from "./prompts/instructions.ts";
import { notesInstructions, pointsSchema } from "./prompts/notes.ts";
import type { Reading } from "./read.ts";
import { segmentsOf } from "./segments.ts";
import { estimateTokens } from "./tokens.ts";
import { indexOfLine, type Line, renderLines } from "./turns.ts";

type Note = {
  readonly note: string;
  readonly turn: string;
  readonly who: string;
  readonly quote: string;
  readonly about: string | null;
};

/**
 * Notes of a call that is longer than a model's context: each part is read alone, and what is noted keeps the ids of its turns.
 * A note whose quote is not in the call is dropped. The notes of all parts fit into `roomForData` tokens.
 */
export async function notesOf(
  generate: Generate,
  reading: Reading,
  lines: readonly Line[],
  { room, roomForData }: { readonly room: number; readonly roomForData: number },
): Promise<string> {
  const { plan, sections, mark, signal } = reading;
  const told = notesInstructions(plan, sections, { mark, pointsMax: pointsMax(1, roomForData) });
  const roomForPart = room - estimateTokens(told);
  if (roomForPart < partMin) {
    throw new GiveUp("engine_rejected", { detail: "The plan is too long for the model's context; set context_tokens" });
  }
  const segments = segmentsOf(lines, roomForPart);
  const max = pointsMax(segments.length, roomForData);
  const instructions = notesInstructions(plan, sections, { mark, pointsMax: max });
  const all = await inLanes(segments, async (segment) => {
    const question = {
      instructions,
      prompt: framed(mark, renderLines(segment)),
      parts: { points: pointsSchema },
      signal,
    };
    const { points } = await ask(generate, question);
    if (!points.ok)
      throw new GiveUp(points.reason, { detail: `A part of the call could not be read: ${points.detail}` });
    // Right by its schema, or it would not be here.
    return (points.value as readonly Note[]).filter((note) => isTrue(note, reading)).slice(0, max);
  });
  return fitted(all, roomForData);
}

const partMin = 300;
const lanes = 3;
/** About what a note is long, with its quote. */
const noteTokens = 80;

function pointsMax(segments: number, roomForData: number): number {
  return Math.min(40, Math.max(2, Math.floor(roomForData / segments / noteTokens)));
}

function isTrue({ turn, quote }: Note, { turns, verifyQuote, withheld }: Reading): boolean {
  const found = verifyQuote({ quote, turn: indexOfLine(turn, turns) }, turns);
  return isVerified(found) && !(found.turn !== null && withheld.has(found.turn));
}

/** In the order of the call; where they are too many, every part gives up its last ones, so that none is left out. */
function fitted(notes: readonly (readonly Note[])[], tokensMax: number): string {
  const longest = Math.max(0, ...notes.map((part) => part.length));
  for (let each = longest; each > 0; each--) {
    const text = JSON.stringify(notes.flatMap((part) => part.slice(0, each)));
    if (estimateTokens(text) <= tokensMax) return text;
  }
  return "[]";
}

/** A few at a time; in the order of the items. */
async function inLanes<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  const lane = async () => {
    for (const [index, item] of waiting) {
      // oxlint-disable-next-line no-await-in-loop -- A lane does one thing after another.
      results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
