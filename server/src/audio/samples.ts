/** A sample between -1 and 1 in 16 bits; what is louder, or no number, is cut. */
export function toInt16(sample: number): number {
  const scaled = Math.round(sample * 32_768);
  return scaled > 32_767 ? 32_767 : scaled >= -32_768 ? scaled : sample < 0 ? -32_768 : 0;
}

/** The same for a list. */
export function int16From(samples: Float32Array): Int16Array {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) out[i] = toInt16(samples[i] ?? 0);
  return out;
}
