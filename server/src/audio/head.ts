import { open } from "node:fs/promises";

import { sniffBytes } from "./sniff.ts";

/** The first bytes of a file, for {@link sniff}. */
export async function headOf(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffBytes), 0, sniffBytes, 0);
  return buffer.subarray(0, bytesRead);
}
