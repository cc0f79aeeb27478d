/** Every limit of reading a file of past calls, with the reason for the number. */
export const importLimits = {
  /** Lines of one file; a larger one is cut into several, in any way. */
  linesMax: 10_000_000,
  /** The largest line: what the largest webhook may have, as base64 in an export. */
  lineBytesMax: 15_000_000,
  /** Lines that are stored together, and of which progress is written at once. */
  groupLines: 128,
  /** Bytes of these lines, after which no further one is waited for. */
  groupBytes: 8_000_000,
  /** After this long what has come of a slow file is taken in: well below `silentMs`. */
  groupMs: 5_000,
  /** An import that says nothing for this long has broken off, also where its process seems to live. */
  silentMs: 120_000,
  /** Failed lines that are kept with their reason. */
  failuresMax: 1_000,
} as const;
