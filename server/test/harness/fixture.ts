import { readFileSync } from "node:fs";
import { join } from "node:path";

import { providersFolder } from "./provider-files.ts";

/** A body as its provider sends it, with every appearance of the given texts replaced: `{ "conv_abc123": conversation }`. */
export function fixture(provider: string, file: string, replaced: Readonly<Record<string, string>> = {}): string {
  const text = readFileSync(join(providersFolder, provider, "fixtures", file), "utf8");
  return Object.entries(replaced).reduce((body, [from, to]) => {
    if (!body.includes(from)) throw new Error(`${provider}/${file} does not contain ${from}`);
    return body.replaceAll(from, to);
  }, text);
}

/** The names that the fixtures share. Tests replace them, so that no two speak of one call by mistake. */
export const fixtureIds = {
  callSid: "CA9dd13ec4fcb895203d2162ca7e0297fc",
  vapiCall: "7420f27a-30fd-4f49-a995-5549ae7cc00d",
  accountSid: "AC00000000000000000000000000000000",
  room: "RM_xyz789abc123",
} as const;
