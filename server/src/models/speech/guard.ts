import type { DroppedSegment, SpeechInterval } from "./answer.ts";
import type { Segment } from "./recognise.ts";

/**
 * Takes out what an engine invented where nobody spoke: Whisper and its kin fill silence with phrases they learned. What is taken
 * out is kept aside, with why. `speech` is where the channel has energy; null where nobody measured it.
 */
export function withoutInvented(
  segments: readonly Segment[],
  speech: readonly SpeechInterval[] | null,
  channel: number | null,
): { readonly kept: Segment[]; readonly dropped: DroppedSegment[] } {
  const repeated = repetitions(segments);
  const kept: Segment[] = [];
  const dropped: DroppedSegment[] = [];
  for (const [index, segment] of segments.entries()) {
    const why = reasonAgainst(segment, speech) ?? (repeated.has(index) ? "repeated" : null);
    if (segment.text.trim() === "") continue;
    if (why === null) kept.push(segment);
    else {
      const { startMs, endMs, text } = segment;
      dropped.push({ start_ms: startMs ?? 0, end_ms: endMs ?? startMs ?? 0, channel, text, why });
    }
  }
  return { kept, dropped };
}

function reasonAgainst(segment: Segment, speech: readonly SpeechInterval[] | null): DroppedSegment["why"] | null {
  const { noSpeechProb, avgLogprob, compressionRatio } = segment;
  if (noSpeechProb !== null && avgLogprob !== null && noSpeechProb > noSpeechMax && avgLogprob < logprobMin) {
    return "no_speech";
  }
  if (compressionRatio !== null && compressionRatio > compressionMax) return "compression";
  return speech !== null && !hasEnergy(segment, speech) ? "no_energy" : null;
}

/** The limits that Whisper's own code uses (openai/whisper, transcribe.py). */
const noSpeechMax = 0.6;
const logprobMin = -1;
const compressionMax = 2.4;
/** Times of engines are about right. */
const toleranceMs = 300;

function hasEnergy({ startMs, endMs }: Segment, speech: readonly SpeechInterval[]): boolean {
  // Without times it is the whole of what was sent, and only what has energy is sent.
  if (startMs === null || endMs === null) return speech.length > 0;
  return speech.some(([start, end]) => start < endMs + toleranceMs && end > startMs - toleranceMs);
}

/** Of the same short text three times in a row or more, all but the first: people say "yes, yes"; engines go on. */
function repetitions(segments: readonly Segment[]): Set<number> {
  const again = new Set<number>();
  for (let start = 0; start < segments.length;) {
    const text = bare(segments[start]?.text ?? "");
    let end = start + 1;
    while (end < segments.length && bare(segments[end]?.text ?? "") === text) end++;
    if (end - start >= inARow && text !== "" && text.length <= shortMax) {
      for (let index = start + 1; index < end; index++) again.add(index);
    }
    start = end;
  }
  return again;
}

const inARow = 3;
const shortMax = 60;

function bare(text: string): string {
  return text
    .toLowerCase()
    .replace(/[\p{P}\p{S}\s]+/gu, " ")
    .trim();
}
