/** The same bytes for the same seed: a failing run can be repeated. (mulberry32) */
export function createRandom(seed: number): (size: number) => Buffer {
  let state = seed >>> 0;
  return (size) => Buffer.from(Array.from({ length: size }, () => nextByte()));

  function nextByte(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) & 0xff;
  }
}
