import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { defaultScheduleMs, endpointDefaults } from "@aftercall/contract/endpoint.ts";
import { HeldCause, WhyUndelivered } from "@aftercall/contract/undelivered.ts";
import { expect, test } from "vitest";

import { settingsSchema } from "#/kernel/config/settings.ts";

import { healthRules } from "./health/rules.ts";
import { nextDelayMs } from "./schedule.ts";

const read = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../docs/guides/${name}`, import.meta.url)), "utf8");
const outage = read("what-happens-when-my-endpoint-is-down.md");
const resend = read("resend-what-i-missed.md");

/** `9305000` → `2 h 35 min 5 s`. */
function inWords(ms: number): string {
  const seconds = ms / 1000;
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor((seconds % 3600) / 60), "min"],
    [seconds % 60, "s"],
  ] as const;
  const words = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return words.length === 0 ? "0 s" : words.join(" ");
}

/** The waits as the code makes them for a receiver that fails every time. */
function waits(random: number): number[] {
  const made: number[] = [];
  for (let failedCount = 1; ; failedCount++) {
    const delay = nextDelayMs({ scheduleMs: defaultScheduleMs, failedCount, retryAfterMs: null, random: () => random });
    if (delay === null) return made;
    made.push(delay);
  }
}

test("the table of times in the guide is the schedule of the code, attempt for attempt", () => {
  let since = 0;
  const rows = waits(0).map((wait, i) => `| ${i + 2} | ${inWords(wait)} | ${inWords((since += wait))} |`);
  expect(outage).toContain(["| 1 | at once | 0 s |", ...rows].join("\n"));
  expect(rows).toHaveLength(9);
  for (const [i, wait] of waits(1).entries()) expect(wait).toBe(Math.round((waits(0)[i] ?? 0) * 1.1));
});

test("the other numbers of the guide are those of the code", () => {
  const { breakerShare, breakerAttemptsMin, sliceMs, slices, openMs, openMsMax, throttleMs } = healthRules;
  expect(outage).toContain(
    `When ${breakerShare * 10} of 10 attempts or more fail within ${inWords(sliceMs * slices).replace("min", "minutes")} (of at least ${breakerAttemptsMin}), nothing is sent for ${openMs / 1000} seconds`,
  );
  expect(outage).toContain(`up to ${openMsMax / 60_000} minutes`);
  expect(outage).toContain(`\`Retry-After\`, else ${throttleMs / 1000} s`);
  expect(outage).toContain(
    `Without any success for ${healthRules.disableAfterMs / 3_600_000} hours, with at least ${healthRules.disableSpanMs / 3_600_000} hours between the first and the last failure and at least ${healthRules.disableFailuresMin} failed attempts`,
  );
  expect(outage).toContain(`warns at ${healthRules.warnPercents.join(", ").replace(/, (\d+)$/, " and $1")} %`);
  expect(outage).toContain(`\`timeout_ms\` (${endpointDefaults.timeout_ms / 1000} s`);
  const days = settingsSchema.parse({});
  for (const [setting, value] of [
    ["ATTEMPTS", days.attemptsDays],
    ["ATTEMPT_BODIES", days.attemptBodiesDays],
    ["MESSAGE_BODIES", days.messageBodiesDays],
    ["DELIVERIES", days.deliveriesDays],
  ] as const) {
    expect(outage).toContain(`| ${value} | \`AFTERCALL_${setting}_DAYS\` |`);
  }
});

test("every reason and every cause there is stands in the guides", () => {
  for (const reason of WhyUndelivered.options) expect(resend).toContain(`\`${reason}\``);
  for (const cause of HeldCause.options) expect(outage).toContain(`\`${cause}\``);
});
