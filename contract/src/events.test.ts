import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { eventTypesPage } from "./event-types-page.ts";
import { eventTypeNames, eventTypes } from "./events.ts";
import { isReservedType, TypeName, TypePattern } from "./type-name.ts";

test.each(eventTypeNames)("%s has an English and a Hebrew example that its own schema accepts", (name) => {
  const { data, examples } = eventTypes[name];
  for (const example of [examples.en, examples.he]) {
    expect(example.type).toBe(name);
    expect(data.parse(example.data)).toEqual(example.data);
  }
});

// Messages about the delivery itself may hold nothing that people write.
test.each(eventTypeNames.filter((name) => eventTypes[name].kind === "ordinary"))(
  "the Hebrew example of %s has Hebrew in it",
  (name) => {
    expect(JSON.stringify(eventTypes[name].examples.he)).toMatch(/[\u05d0-\u05ea]/);
  },
);

test.each(eventTypeNames)("%s is a name that a tenant cannot take", (name) => {
  expect(TypeName.parse(name)).toBe(name);
  expect(isReservedType(name)).toBe(true);
  expect(isReservedType(`${name.split(".")[0]}.invented`)).toBe(true);
});

test.each(["lead.qualified", "order_line.changed", "v2.done"])("%s is a name that a tenant can take", (name) => {
  expect(TypeName.parse(name)).toBe(name);
  expect(isReservedType(name)).toBe(false);
});

test.each(["lead", "Lead.qualified", "lead.", ".qualified", "lead.a.b", "lead_.x", "לקוח.נוצר", "a".repeat(99) + ".b"])(
  "%s is no name of a type",
  (name) => {
    expect(TypeName.safeParse(name).success).toBe(false);
  },
);

test.each(["*", "call.completed", "call.*", "lead.qualified", "lead.*"])("%s can be subscribed to", (pattern) => {
  expect(TypePattern.parse(pattern)).toBe(pattern);
});

test.each([
  ["call.exploded", "Unknown event type"],
  ["attempt.*", "Unknown event type"],
  ["Call.*", "Not an event type"],
  ["call", "Not an event type"],
  ["*.completed", "Not an event type"],
])("%s cannot be subscribed to: %s", (pattern, why) => {
  expect(TypePattern.safeParse(pattern).error?.issues[0]?.message).toContain(why);
});

test("the page of event types is current: npm run docs", () => {
  const page = readFileSync(new URL("../../docs/reference/event-types.md", import.meta.url), "utf8");
  expect(page === eventTypesPage()).toBe(true);
});
