import type { Interval } from "./listen.ts";

/** One value of loudness stands for this long. */
export const frameMs = 20;

/** Quieter than this is silence, however quiet the rest: line noise of telephones lies below. 16-bit units. */
const floorRms = 40;
/** How much louder than the quietest tenth of the call somebody surely speaks. */
const speechFactor = 3.5;
/** How much louder than the noise around it the beginning or end of a word is, which is quieter than its middle. */
const edgeFactor = 1.6;
/** How far such an edge reaches. */
const edgeMs = 400;
/** Noise is looked at in blocks of this length: the quietest of a block and its neighbours is what is heard beside words. */
const blockMs = 500;
/** Pauses inside a word and between words do not end speech. */
const hangoverMs = 240;
/** Clicks and breaths. */
const burstMs = 60;

/**
 * Where somebody speaks, by loudness alone: root mean square of each 20 ms well above the 10th percentile of the call, and the
 * quieter frames before and after that still stand out from the noise right there. Pauses of up to 240 ms belong to speech; what
 * lasts less than 60 ms is none. Noise that comes and goes moves the second bound and not the first.
 */
export function speechIn(rms: Float32Array): Interval[] {
  const noise = percentile(rms, 0.1);
  const bursts = burstsAbove(rms, Math.max(floorRms, speechFactor * noise));
  const edges = edgesOf(rms, noise);
  return joined(
    bursts.map((burst) => widened(burst, rms, edges)),
    rms.length,
  );
}

type Frames = readonly [from: number, to: number];

function burstsAbove(rms: Float32Array, threshold: number): Frames[] {
  const bursts: Frames[] = [];
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

const blockFrames = blockMs / frameMs;

/** For each block how loud a frame of it must be to belong to a word that it touches. */
function edgesOf(rms: Float32Array, noise: number): readonly number[] {
  const blocks = Array.from({ length: Math.ceil(rms.length / blockFrames) }, (_, i) =>
    percentile(rms.subarray(i * blockFrames, (i + 1) * blockFrames), 0.5),
  );
  return blocks.map((own, i) => {
    const around = Math.min(own, blocks[i - 1] ?? own, blocks[i + 1] ?? own);
    return Math.max(floorRms, edgeFactor * Math.max(noise, around));
  });
}

function widened([from, to]: Frames, rms: Float32Array, edges: readonly number[]): Frames {
  const isEdge = (frame: number) => (rms[frame] ?? 0) > (edges[Math.floor(frame / blockFrames)] ?? Infinity);
  const most = edgeMs / frameMs;
  let [start, end] = [from, to];
  while (from - start < most && isEdge(start - 1)) start--;
  while (end - to < most && isEdge(end)) end++;
  return [start, end];
}

function joined(bursts: readonly Frames[], frames: number): Interval[] {
  const hangover = hangoverMs / frameMs;
  const spans: [number, number][] = [];
  for (const [from, to] of bursts) {
    const last = spans.at(-1);
    if (last && from - last[1] <= hangover) last[1] = Math.max(last[1], to);
    else spans.push([from, to]);
  }
  return spans
    .filter(([from, to]) => (to - from) * frameMs >= burstMs)
    .map(([from, to]) => [from * frameMs, Math.min(to, frames) * frameMs]);
}

/** Nearest rank. */
function percentile(rms: Float32Array, share: number): number {
  if (rms.length === 0) return 0;
  const sorted = rms.toSorted();
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? 0;
}
