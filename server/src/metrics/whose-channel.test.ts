import type { Turn } from "@aftercall/contract/call.ts";
import { expect, test } from "vitest";

import { whoseChannels } from "./whose-channel.ts";

const turn = (role: Turn["role"], start_ms: number | null, end_ms: number | null): Turn => ({
  role,
  text: "words",
  start_ms,
  end_ms,
});
const turns = [turn("agent", 0, 3000), turn("customer", 3500, 5000), turn("agent", 5200, 9000)];
const agent = [
  [200, 3100],
  [5300, 8800],
] as const;
const customer = [[3400, 5100]] as const;

test("who speaks on which channel follows from when turns were said, whichever way round", () => {
  expect(whoseChannels([agent, customer], turns)).toEqual(["agent", "customer"]);
  expect(whoseChannels([customer, agent], turns)).toEqual(["customer", "agent"]);
  const human = turns.map((one) => (one.role === "agent" ? { ...one, role: "human_agent" as const } : one));
  expect(whoseChannels([customer, agent], human)).toEqual(["customer", "agent"]);
});

test("nothing is guessed: both voices on both channels, turns without times, one side only, another recording", () => {
  const both = [...agent, ...customer];
  expect(whoseChannels([both, both], turns)).toBeNull();
  expect(whoseChannels([agent, customer], [turn("agent", 0, null), turn("customer", 3500, null)])).toBeNull();
  expect(whoseChannels([agent, customer], [turn("agent", 0, 9000)])).toBeNull();
  expect(whoseChannels([agent.map(([a, b]) => [a + 60_000, b + 60_000] as const), customer], turns)).toBeNull();
  expect(whoseChannels([agent], turns)).toBeNull();
  expect(whoseChannels([agent, customer, customer], turns)).toBeNull();
  expect(whoseChannels([[], []], turns)).toBeNull();
});
