import { estimateTokens } from "./tokens.ts";
import type { Line } from "./turns.ts";

/**
 * Cuts a call into parts of at most so many tokens. A turn keeps its id in whichever part it stands; one that is too long alone
 * is cut between words, and each piece keeps the id. Every part begins with the last turn of the one before, for what it hangs on.
 */
export function segmentsOf(lines: readonly Line[], tokensMax: number): Line[][] {
  const segments: Line[][] = [];
  let segment: Line[] = [];
  let tokens = 0;
  for (const line of lines.flatMap((one) => piecesOf(one, tokensMax))) {
    const size = sizeOf(line);
    if (tokens + size > tokensMax && segment.length > 0) {
      segments.push(segment);
      const last = segment.at(-1);
      const carried = last && segment.length > 1 && sizeOf(last) + size <= tokensMax / 2 ? [last] : [];
      segment = carried;
      tokens = carried.reduce((sum, one) => sum + sizeOf(one), 0);
    }
    segment.push(line);
    tokens += size;
  }
  return segment.length > 0 ? [...segments, segment] : segments;
}

/** Tokens of a line with the JSON around its text. */
export function sizeOf(line: Line): number {
  return estimateTokens(JSON.stringify(line)) + 2;
}

function piecesOf(line: Line, tokensMax: number): Line[] {
  if (sizeOf(line) <= tokensMax) return [line];
  const pieces: Line[] = [];
  // One token is at least about one character of text, so a piece of this length fits in every script.
  const length = Math.max(100, Math.floor(tokensMax / 2));
  for (let rest = line.text; rest !== "";) {
    const cut = rest.length <= length ? rest.length : lastSpaceBefore(rest, length);
    pieces.push({ ...line, text: rest.slice(0, cut) });
    rest = rest.slice(cut).trimStart();
  }
  return pieces;
}

function lastSpaceBefore(text: string, end: number): number {
  const at = text.lastIndexOf(" ", end);
  return at > end / 2 ? at : end;
}
