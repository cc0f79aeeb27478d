import * as fc from "fast-check";
import { expect, test } from "vitest";

import { createEventStreamReader, type StreamEvent } from "./event-stream.ts";

function readAll(pieces: readonly string[]): { items: StreamEvent[]; lastEventId: string } {
  const reader = createEventStreamReader();
  const items = pieces.flatMap((piece) => reader.read(piece));
  return { items, lastEventId: reader.lastEventId() };
}

test.each<[string, string, Omit<StreamEvent, "id">[], string]>([
  ["an item", 'id: 7\nevent: call\ndata: {"a":1}\n\n', [{ event: "call", data: '{"a":1}' }], "7"],
  ["an item without a name", "data: a\n\n", [{ event: "message", data: "a" }], ""],
  ["lines of data", "data: a\ndata: b\n\n", [{ event: "message", data: "a\nb" }], ""],
  ["a field without a space", "data:a\n\n", [{ event: "message", data: "a" }], ""],
  ["a field without a value", "data\n\n", [{ event: "message", data: "" }], ""],
  ["the line breaks of Windows", "event: call\r\ndata: a\r\n\r\n", [{ event: "call", data: "a" }], ""],
  ["a heartbeat that moves the cursor on", "id: 8\n: still here\n\n", [], "8"],
  ["an item that is not complete", "id: 9\ndata: a\n", [], ""],
  ["a field that nobody knows", "colour: red\ndata: a\n\n", [{ event: "message", data: "a" }], ""],
])("%s is read", (_name, text, items, lastEventId) => {
  expect(readAll([text])).toEqual({ items: items.map((item) => ({ ...item, id: lastEventId })), lastEventId });
});

test("the items are the same however the text is cut", () => {
  const line = fc.constantFrom("id: 1", "id: 2", "event: call", "data: {}", "data: ש", ": beat", "retry: 2000", "", "");
  const text = fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n"))).map((lines) => `${lines.flat().join("")}\n`);
  fc.assert(
    fc.property(text, fc.array(fc.nat(200)), (whole, cuts) => {
      const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).toSorted((a, b) => a - b), whole.length];
      const pieces = places.slice(1).map((end, i) => whole.slice(places[i], end));
      expect(readAll(pieces)).toEqual(readAll([whole]));
    }),
  );
});

test("after a cut the half item is forgotten and its id does not count", () => {
  const reader = createEventStreamReader("0");
  reader.read("id: 1\ndata: a\n\nid: 2\ndata: half");
  reader.cut();
  expect([reader.lastEventId(), reader.read("data: b\n\n")]).toEqual(["1", [{ event: "message", data: "b", id: "1" }]]);
  expect(reader.lastEventId()).toBe("1");
});

test("how long to wait is the server's word, when it is a number", () => {
  const reader = createEventStreamReader();
  reader.read("retry: soon\n\n");
  expect(reader.retryMs()).toBeNull();
  reader.read("retry: 2000\n\n");
  expect(reader.retryMs()).toBe(2000);
});

test("a line without an end is not kept for ever", () => {
  const reader = createEventStreamReader();
  expect(() => reader.read("a".repeat(4_000_001))).toThrow(RangeError);
});
