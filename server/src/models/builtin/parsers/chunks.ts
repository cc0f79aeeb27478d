/**
 * A text in pieces of at most `charsMax`, cut between words. The libraries that look for phone numbers and dates take long
 * over long texts, and what they look for is short.
 */
export function chunksOf(text: string, charsMax = 1000): Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = 0; start < text.length;) {
    const end = start + charsMax >= text.length ? text.length : endOfChunk(text, start, start + charsMax);
    chunks.push({ text: text.slice(start, end), start });
    start = end;
  }
  return chunks;
}

export type Chunk = { readonly text: string; readonly start: number };

/** After the last sentence that ends in it, else after its last space. */
function endOfChunk(text: string, start: number, end: number): number {
  for (const mark of [". ", "? ", "! ", ", ", " "]) {
    const at = text.lastIndexOf(mark, end - mark.length);
    if (at > start + (end - start) / 2) return at + mark.length;
  }
  return end;
}
