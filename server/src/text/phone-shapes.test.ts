import { expect, test } from "vitest";

import { phoneShapes } from "./phone-shapes.ts";

const shapesIn = (text: string) => phoneShapes(text).map(({ start, end }) => text.slice(start, end));

test.each([
  "02-671-2345",
  "03 5551234",
  "04-8123456",
  "020 7946 0958",
  "1-700-700-800",
  "1.700.700.800",
  "1-800-123-4567",
  "+972 50 123 4567",
  "(02) 671 2345",
  "01.23.45.67.89",
  "050/1234567",
  "0501234567",
  "050_123_4567",
  "050:1234567",
])("%s is shaped like a phone number", (number) => {
  expect(shapesIn(`המספר הוא ${number}, תודה`)).toEqual([number]);
  expect(shapesIn(`ב-${number}`)).toEqual([number]);
});

test("a number is found right behind the word for it", () => {
  expect(shapesIn("tel0501234567, TEL-026712345")).toEqual(["0501234567", "026712345"]);
});

test.each([
  "03.05.1985",
  "03/05/26 10:30",
  "2026-05-03 08:15",
  "2026-05-03T08:15:00.000Z",
  "1,250,000",
  "+5,000,000 shekels",
  "10.050.000,00",
  "order #0012345",
  "order AC-0012345",
  "call_0123456789",
  "c0a80101-0123-4567-8901-012345678901",
  "3 rooms, 12 floors, 2026",
  "from 10 to 12",
])("%s is not", (text) => {
  expect(shapesIn(`that is ${text} then`)).toEqual([]);
});
