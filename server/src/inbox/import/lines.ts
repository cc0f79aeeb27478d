/** One line of a file, without its end. `bytes` is null for one that is longer than it may be. */
export type Line = { readonly number: number; readonly bytes: Buffer | null };

/** Cuts a stream into groups of lines as they come; memory holds one group and one line, whatever comes. */
export async function* linesOf(
  body: AsyncIterable<Buffer>,
  { lineBytesMax, groupLines, groupBytes }: { lineBytesMax: number; groupLines: number; groupBytes: number },
): AsyncGenerator<readonly Line[]> {
  let group: Line[] = [];
  let held = 0;
  let pieces: Buffer[] = [];
  let length = 0;
  let number = 0;
  const end = (): void => {
    number++;
    const bytes = length > lineBytesMax ? null : Buffer.concat(pieces);
    group.push({ number, bytes });
    held += bytes?.length ?? 0;
    pieces = [];
    length = 0;
  };
  const take = (piece: Buffer): void => {
    length += piece.length;
    if (length <= lineBytesMax) pieces.push(piece);
    else pieces = [];
  };
  for await (const chunk of body) {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, at));
      from = at + 1;
      end();
      if (group.length < groupLines && held < groupBytes) continue;
      yield group;
      group = [];
      held = 0;
    }
    if (from < chunk.length) take(Buffer.from(chunk.subarray(from)));
  }
  if (length > 0) end();
  if (group.length > 0) yield group;
}
