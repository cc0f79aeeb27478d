import { execFileSync, spawnSync } from "node:child_process";

import { sampleRate, type UtteranceName, utterances } from "./utterances.ts";

/** Whether speech can be made anew on this machine (Debian: `apt install espeak-ng`). */
export const hasSynthesiser = spawnSync("espeak-ng", ["--version"]).status === 0;

/** Says it now: 16-bit samples of a telephone, from the first that is heard to the last. */
export function synthesise(name: UtteranceName): Int16Array {
  const { voice, text } = utterances[name];
  const wav = execFileSync("espeak-ng", ["-v", voice, "-s", "165", "--stdout", text]);
  const wide = new Int16Array(wav.buffer.slice(wav.byteOffset + 44, wav.byteOffset + wav.length - (wav.length % 2)));
  const samples = narrowed(wide, wav.readUInt32LE(24)).map((sample) => Math.round(sample * 0.7));
  const isHeard = (sample: number) => Math.abs(sample) > 150;
  return samples.slice(samples.findIndex(isHeard), samples.findLastIndex(isHeard) + 1);
}

/** How many zero crossings of the sinc are summed on each side. */
const reach = 16;

/** The same sound with fewer samples: what a telephone does not carry is cut off by a windowed sinc, so that nothing folds back. */
function narrowed(samples: Int16Array, rate: number): Int16Array {
  const step = rate / sampleRate;
  return Int16Array.from({ length: Math.floor(samples.length / step) }, (_, i) => {
    let sum = 0;
    const middle = i * step;
    for (let at = Math.ceil(middle - reach * step); at <= middle + reach * step; at++) {
      const x = (at - middle) / step;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / reach);
      sum += (samples[at] ?? 0) * window * (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
    }
    return Math.max(-32_768, Math.min(32_767, Math.round(sum / step)));
  });
}
