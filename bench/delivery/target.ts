/** Where deliveries of the benchmark go: `count` origins of one receiver process. */
export function originsOf(port: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `http://127.0.${1 + Math.floor(n / 250)}.${1 + (n % 250)}:${port}/`);
}

/** The body that all senders post, `bytes` long. */
export function bodyOf(bytes: number): Buffer {
  const head = '{"type":"bench.done","timestamp":"2026-11-21T10:00:00.000Z","data":{"text":"';
  const tail = '"}}';
  return Buffer.from(head + "x".repeat(Math.max(bytes - head.length - tail.length, 0)) + tail);
}
