/** One line of a file, without its end. `bytes` is null for one that is longer than it may be. */
export type Line = { readonly number: number; readonly bytes: Buffer | null };

/** Lines that are taken in together. */
export type Group = {
  readonly lines: readonly Line[];
  /** Bytes of the file up to the end of the last of them. */
  readonly bytesRead: number;
};

export type GroupLimits = {
  readonly lineBytesMax: number;
  readonly groupLines: number;
  readonly groupBytes: number;
  readonly groupMs: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
};

/** Cuts a stream into groups of lines as they come; memory holds one group and one line, whatever comes. */
export async function* linesOf(
  body: AsyncIterable<Uint8Array>,
  { lineBytesMax, groupLines, groupBytes, groupMs, now }: GroupLimits,
): AsyncGenerator<Group> {
  let lines: Line[] = [];
  let held = 0;
  let since = now();
  let pieces: Uint8Array[] = [];
  let length = 0;
  let number = 0;
  let bytesRead = 0;
  const end = (): void => {
    number++;
    const bytes = length > lineBytesMax ? null : Buffer.concat(pieces);
    lines.push({ number, bytes });
    held += bytes?.length ?? 0;
    bytesRead += length;
    pieces = [];
    length = 0;
  };
  const take = (piece: Uint8Array): void => {
    length += piece.length;
    if (length <= lineBytesMax) pieces.push(piece);
    else pieces = [];
  };
  const group = (): Group => {
    const taken = { lines, bytesRead };
    lines = [];
    held = 0;
    since = now();
    return taken;
  };
  for await (const chunk of body) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, at));
      from = at + 1;
      end();
      bytesRead++;
      if (lines.length >= groupLines || held >= groupBytes) yield group();
    }
    if (from < chunk.length) take(chunk.slice(from));
    if (lines.length > 0 && now() - since >= groupMs) yield group();
  }
  if (length > 0) end();
  if (lines.length > 0) yield group();
}
