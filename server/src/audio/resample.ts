/**
 * Makes fewer samples out of many: each is the mean of those whose time it takes, which also keeps most of what is above the new
 * limit from folding back. Blocks may end anywhere. Only downwards; with equal rates samples pass as they are.
 */
export function createResampler(from: number, to: number): (samples: Int16Array) => Int16Array {
  if (to >= from) return (samples) => samples;
  const ratio = from / to;
  let seen = 0;
  let made = 0;
  let sum = 0;
  let count = 0;
  return (samples) => {
    const out = new Int16Array(Math.ceil(samples.length / ratio) + 1);
    let filled = 0;
    for (const sample of samples) {
      sum += sample;
      count++;
      seen++;
      if (seen < (made + 1) * ratio) continue;
      out[filled++] = Math.round(sum / count);
      made++;
      sum = 0;
      count = 0;
    }
    return out.subarray(0, filled);
  };
}
