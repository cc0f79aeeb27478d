import type { Interval } from "./listen.ts";

/** One value of loudness stands for this long. */
export const frameMs = 20;

/** Quieter than this is silence, however quiet the rest: line noise of telephones lies below. 16-bit units. */
const floorRms = 40;
/** How much louder than the quietest tenth of the call speech is. */
const noiseFactor = 4;
/** Pauses inside a word and between words do not end speech. */
const hangoverMs = 240;
/** Clicks and breaths. */
const burstMs = 60;

/**
 * Where somebody speaks, by loudness alone: root mean square of each 20 ms above four times the 10th percentile, and above a
 * floor. Pauses of up to 240 ms belong to speech; what lasts less than 60 ms is none.
 */
export function speechIn(rms: Float32Array): Interval[] {
  const threshold = Math.max(floorRms, noiseFactor * percentile10(rms));
  return joined(burstsAbove(rms, threshold), rms.length);
}

function burstsAbove(rms: Float32Array, threshold: number): [from: number, to: number][] {
  const bursts: [number, number][] = [];
  let from = -1;
  for (let frame = 0; frame <= rms.length; frame++) {
    const isLoud = (rms[frame] ?? 0) > threshold;
    if (isLoud && from < 0) from = frame;
    if (isLoud || from < 0) continue;
    bursts.push([from, frame]);
    from = -1;
  }
  return bursts;
}

function joined(bursts: readonly [number, number][], frames: number): Interval[] {
  const hangover = hangoverMs / frameMs;
  const spans: [number, number][] = [];
  for (const [from, to] of bursts) {
    const last = spans.at(-1);
    if (last && from - last[1] <= hangover) last[1] = to;
    else spans.push([from, to]);
  }
  return spans
    .filter(([from, to]) => (to - from) * frameMs >= burstMs)
    .map(([from, to]) => [from * frameMs, Math.min(to, frames) * frameMs]);
}

/** Nearest rank. */
function percentile10(rms: Float32Array): number {
  if (rms.length === 0) return 0;
  const sorted = rms.toSorted();
  return sorted[Math.max(Math.ceil(sorted.length / 10) - 1, 0)] ?? 0;
}
