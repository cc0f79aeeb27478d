import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { ClientFrame, ServerFrame } from "@aftercall/contract/live-frames.ts";
import { streamItems } from "@aftercall/contract/live.ts";
import { expect, test } from "vitest";

import { readCursor } from "#/live/cursor.ts";
import { identify } from "#/live/identify.ts";

const guide = readFileSync(fileURLToPath(new URL("../../../docs/guides/live-updates.md", import.meta.url)), "utf8");

/** What follows a mark at the start of a line, with the parts that were left out as empty objects. */
const after = (mark: string) =>
  [...guide.matchAll(new RegExp(`^${mark} (.+)$`, "gm"))].map((match) => (match[1] ?? "").replaceAll("{…}", "{}"));

test("every frame in the guide is one of the contract", () => {
  const [said, heard] = [after("←"), after("→")];
  expect([said.length, heard.length]).toEqual([9, 4]);
  for (const text of said) expect(ServerFrame.parse(JSON.parse(text))).toEqual(JSON.parse(text));
  const known = heard.map((text) => ClientFrame.safeParse(JSON.parse(text)).success);
  expect(known).toEqual([true, true, false, true]);
});

test("every item in the guide is one of the contract, and its cursor can be read", () => {
  const [events, data] = [after("event:"), after("data:")];
  expect(events).toEqual(["call", "transcription"]);
  for (const [index, event] of events.entries()) {
    const item: unknown = JSON.parse(data[index] ?? "");
    expect(streamItems[event as keyof typeof streamItems].parse(item)).toEqual(item);
  }
  for (const id of after("id:")) expect(readCursor(id)).not.toBeNull();
});

test("identifiers are taken for what the guide says", () => {
  expect(identify("CA9dd13ec4fcb895203d2162ca7e0297fc").kind).toBe("call_sid");
  for (const [, form = "", kind = ""] of guide.matchAll(/^\| `(\*|[a-zA-Z]+_)…?` \| `(\w+)`/gm)) {
    expect(identify(form === "*" ? form : `${form}x`).kind).toBe(kind);
  }
});
