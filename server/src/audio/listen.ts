import { decode, type Decoding } from "./decode.ts";
import { growable } from "./growable.ts";
import { speechIn } from "./speech.ts";

/** What is known about a recording after it was heard once. */
export type Heard = {
  readonly facts: AudioFacts;
  /** When somebody speaks, per channel: `[startMs, endMs]`, in order, apart from each other. */
  readonly speechByChannel: readonly (readonly Interval[])[];
  /** See {@link peakMs}: for each 10 ms and each channel the lowest and the highest value, 8 bits each. */
  readonly peaks: Int8Array;
};

export type AudioFacts = {
  readonly codec: string;
  readonly mime: string;
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly durationMs: number;
};

export type Interval = readonly [startMs: number, endMs: number];

/** One peak stands for this long; two of them are a frame of speech detection. */
export const peakMs = 10;

/** Decodes a local file once, in bounded memory, and keeps what can be said about it. @throws AudioRefused */
export async function listen(path: string, signal?: AbortSignal): Promise<Heard> {
  const decoding = await decode(path, signal);
  const { codec, mime, sampleRate, channels } = decoding;
  const { samples, energies, peaks } = await measure(decoding);
  return {
    facts: {
      codec,
      mime,
      sampleRateHz: sampleRate,
      channels,
      durationMs: Math.round((samples / sampleRate) * 1000),
    },
    speechByChannel: energies.map((rms) => speechIn(rms)),
    peaks,
  };
}

/** Per channel the loudness (root mean square, 16-bit units) of each 20 ms, and the peaks of each 10 ms. */
async function measure({ blocks, channels, sampleRate }: Decoding) {
  const meters = Array.from({ length: channels }, () => createMeter(sampleRate));
  let samples = 0;
  for await (const block of blocks) {
    samples += block[0]?.length ?? 0;
    for (let channel = 0; channel < channels; channel++) meters[channel]?.feed(block[channel] ?? none);
  }
  for (const meter of meters) meter.end();
  return { samples, energies: meters.map((meter) => meter.rms()), peaks: interleave(meters.map((one) => one.peaks())) };
}

const none = new Int16Array(0);

/** One pass over the samples of one channel: sum of squares, lowest and highest of each 10 ms. */
function createMeter(sampleRate: number) {
  const peaks = growable((size) => new Int8Array(size));
  const rms = growable((size) => new Float32Array(size));
  const perPeak = sampleRate / 100;
  let bucket = 0;
  let left = Math.round(perPeak);
  let low = 0;
  let high = 0;
  let squares = 0;
  let counted = 0;

  return {
    feed(samples: Int16Array): void {
      for (let at = 0; at < samples.length;) {
        const until = Math.min(samples.length, at + left);
        left -= until - at;
        for (; at < until; at++) {
          const sample = samples[at] ?? 0;
          if (sample < low) low = sample;
          if (sample > high) high = sample;
          squares += sample * sample;
          counted++;
        }
        if (left === 0) close();
      }
    },
    /** What is left over at the end is a bucket of its own when it is half full. */
    end(): void {
      if (left < perPeak / 2) close();
      if (bucket % 2 === 1) closeFrame();
    },
    peaks: peaks.whole,
    rms: rms.whole,
  };

  function close(): void {
    peaks.add(low >> 8);
    peaks.add(high >> 8);
    bucket++;
    low = 0;
    high = 0;
    // By position, not by adding up: rates as 11,025 Hz have no whole number of samples in 10 ms.
    left = Math.round((bucket + 1) * perPeak) - Math.round(bucket * perPeak);
    if (bucket % 2 === 0) closeFrame();
  }

  function closeFrame(): void {
    rms.add(counted === 0 ? 0 : Math.sqrt(squares / counted));
    squares = 0;
    counted = 0;
  }
}

/** Bucket by bucket, and in each channel by channel: lowest, highest. */
function interleave(channels: readonly Int8Array[]): Int8Array {
  const buckets = Math.min(...channels.map((one) => one.length / 2));
  const out = new Int8Array(buckets * 2 * channels.length);
  channels.forEach((peaks, channel) => {
    for (let bucket = 0; bucket < buckets; bucket++) {
      const at = (bucket * channels.length + channel) * 2;
      out[at] = peaks[bucket * 2] ?? 0;
      out[at + 1] = peaks[bucket * 2 + 1] ?? 0;
    }
  });
  return out;
}
