/** Written without a line break of its own, so that a line can grow while things happen. */
export function say(text: string): void {
  process.stdout.write(text);
}

/** Text of any direction, kept from turning its surroundings around (Unicode isolates U+2068 and U+2069). */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

/** Columns as wide as their widest cell; the isolates of {@link isolated} take no room. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? ""))));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell))).join("  ")}`)
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

function width(text: string): number {
  return Array.from(text.replace(/[\u2068\u2069]/g, "")).length;
}
