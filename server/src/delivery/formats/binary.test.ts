import { assert, constant, dictionary, jsonValue, oneof, property, record, string, stringMatching } from "fast-check";
import { expect, test } from "vitest";

import { binaryOf } from "./binary.ts";

const required = { specversion: "1.0", id: "msg_1", source: "/tenants/ten_1", type: "call.completed" };
const bytes = (event: object) => Buffer.from(JSON.stringify(event));

test("attributes are headers and data is the body", () => {
  const time = "2025-12-10T14:23:45.000Z";
  const event = { ...required, time, subject: "call_1", datacontenttype: "application/json", data: { city: "חיפה" } };
  const { body, contentType, headers } = binaryOf(bytes(event));
  expect(body.toString("utf8")).toBe('{"city":"חיפה"}');
  expect(contentType).toBe("application/json");
  expect(headers).toEqual({
    "ce-specversion": "1.0",
    "ce-id": "msg_1",
    "ce-source": "/tenants/ten_1",
    "ce-type": "call.completed",
    "ce-time": time,
    "ce-subject": "call_1",
  });
});

test("the example of the HTTP binding: a euro sign, an emoji and a space are escaped", () => {
  expect(binaryOf(bytes({ ...required, subject: 'Euro € 😀 "%' })).headers["ce-subject"]).toBe(
    "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22%25",
  );
});

test("whatever the attributes are, headers are visible ASCII and can be read back", () => {
  const value = oneof(string({ unit: "binary", minLength: 1 }), jsonValue());
  const event = record({
    extra: dictionary(oneof(stringMatching(/^[a-z0-9]{1,9}$/), string()), value),
    data: jsonValue(),
  });
  assert(
    property(event, constant(required), ({ extra, data }, fixed) => {
      const { headers } = binaryOf(bytes({ ...extra, ...fixed, data }));
      for (const [name, text] of Object.entries(headers)) {
        expect(name).toMatch(/^ce-[a-z0-9]+$/);
        expect(text).toMatch(/^[\x21-\x7e]+$/);
        const original = { ...extra, ...fixed }[name.slice(3)];
        expect(decodeURIComponent(text)).toBe(String(original).toWellFormed());
      }
    }),
    { numRuns: 300 },
  );
});

test.each(["specversion", "id", "source", "type"])("an event without its %s is none", (name) => {
  expect(() => binaryOf(bytes({ ...required, [name]: undefined }))).toThrow(name);
});
