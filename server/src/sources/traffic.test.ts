import { expect, test } from "vitest";

import { addTo, isSilent, noTraffic, refusalsIn, type Traffic } from "./traffic.ts";

const hour = 3_600_000;
const start = Date.UTC(2026, 10, 2);

const heard = (at: number, received: number, refused = 0) => ({
  firstReceivedAt: received > 0 ? at : null,
  lastReceivedAt: received > 0 ? at : null,
  received,
  refused,
  reasons: refused > 0 ? { wrong_signature: refused } : {},
});

/** Office hours, Monday to Friday, an event each quarter of an hour. */
function officeHours(days: number): { traffic: Traffic; last: number } {
  let traffic = noTraffic;
  let last = start;
  for (let day = 0; day < days; day++) {
    if (day % 7 >= 5) continue;
    for (let at = 8; at < 18; at += 0.25) {
      last = start + day * 24 * hour + at * hour;
      traffic = addTo(traffic, heard(last, 1), last);
    }
  }
  return { traffic, last };
}

test("nights and weekends are no silence, a day without anything is", () => {
  const { traffic, last } = officeHours(12);
  const friday = last;
  for (const hours of [1, 14, 62]) expect(isSilent(traffic, friday + hours * hour, hour)).toBe(false);
  expect(isSilent(traffic, friday + 126 * hour, hour)).toBe(true);
});

test("a source that always sends is missed after an hour, and not before", () => {
  let traffic = noTraffic;
  let now = start;
  for (; now < start + 8 * 24 * hour; now += hour / 6) traffic = addTo(traffic, heard(now, 1), now);
  expect(isSilent(traffic, now + 0.8 * hour, hour)).toBe(false);
  expect(isSilent(traffic, now + 0.9 * hour, hour)).toBe(true);
  expect(isSilent(traffic, now + 0.9 * hour, 4 * hour)).toBe(false);
});

test("nothing is usual in the first week, nor for a source that hardly sends, and the lists stay short", () => {
  const { traffic, last } = officeHours(5);
  expect(isSilent(traffic, last + 60 * hour, hour)).toBe(null);
  let rare = noTraffic;
  for (let day = 0; day < 40; day++) rare = addTo(rare, heard(start + day * 24 * hour, 1), start + day * 24 * hour);
  expect(isSilent(rare, start + 100 * 24 * hour, hour)).toBe(null);
  expect([rare.days.length, rare.minutes.length]).toEqual([14, 1]);
});

test("refusals are counted over ten minutes, with their reasons, whoever reported them when", () => {
  let traffic = noTraffic;
  for (let minute = 0; minute < 15; minute++)
    traffic = addTo(traffic, heard(start + minute * 60_000, 2, 1), start + minute * 60_000);
  const now = start + 14 * 60_000 + 30_000;
  expect(refusalsIn(addTo(traffic, heard(now, 0, 3), now), now)).toEqual({
    since: start + 5 * 60_000,
    refused: 13,
    received: 20,
    reasons: { wrong_signature: 13 },
  });
  expect(refusalsIn(traffic, now + 3_600_000)).toMatchObject({ refused: 0, received: 0, reasons: {} });
});
