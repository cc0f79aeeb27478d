import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Call } from "@aftercall/contract/call.ts";
import type { Delivery } from "@aftercall/contract/delivery.ts";
import type { Event } from "@aftercall/contract/event.ts";
import type { Message } from "@aftercall/contract/message.ts";

import { type EventName, isFinal, nameOf, numberIn, numberOf } from "./calls.ts";
import type { PublicApi } from "./public-api.ts";

/** What the outside wrote down, held against what the server says. */
export type Verdict = {
  readonly tried: number;
  readonly acknowledged: number;
  /** Tries of the same webhook beyond the first: the server saw these twice or more. */
  readonly retries: number;
  /** Answers that were neither 2xx nor 503. */
  readonly refused: readonly string[];
  /** Acknowledged, and not in the event log. */
  readonly lost: readonly EventName[];
  /** In the event log more than once. */
  readonly doubled: readonly EventName[];
  /** In the event log, and never sent. */
  readonly invented: readonly EventName[];
  /** Acknowledged calls that are not exactly one call. */
  readonly wrongCalls: readonly string[];
  /** Calls whose report was acknowledged, whose `call.completed` neither came nor is listed as on its way. */
  readonly undelivered: readonly number[];
  /** `call.completed` that had not come when the run ended, and is listed as due or claimed. */
  readonly stillDue: number;
  readonly received: number;
  /** Deliveries that came again with the same `webhook-id`, as "at least once" allows. */
  readonly repeated: number;
  /** Calls that were told as completed by two different messages. */
  readonly toldTwice: readonly number[];
};

/** Waits until nothing is on its way, or for `patienceMs`, and compares. */
export async function judge(directory: string, api: PublicApi, patienceMs: number): Promise<Verdict> {
  await quiescence(api, patienceMs);
  const tries = linesOf(directory, "tried.log");
  const tried = new Set(tries);
  const acknowledged = new Set(linesOf(directory, "acknowledged.log"));
  const receipts = linesOf(directory, "received.log").map(receiptOf);

  const logged = await api.all<Event>("/v1/events?order=oldest");
  const times = countBy(logged, (event) => nameOf(event.type, numberIn(event.key) ?? -1));
  const calls = countBy(
    (await api.all<Call>("/v1/calls")).filter((call) => call.merged_into === null),
    (call) => numberIn(JSON.stringify(call.aliases)) ?? -1,
  );
  const waiting = await onTheirWay(api);
  const waitingCalls = new Set(waiting.map(({ call_id: id }) => id));
  const numbers = new Map(
    (await api.all<Call>("/v1/calls")).map((call) => [call.id, numberIn(JSON.stringify(call.aliases))]),
  );
  const waitingNumbers = new Set([...waitingCalls].map((id) => numbers.get(id ?? "") ?? -1));

  const completed = receipts.filter(({ type }) => type === "call.completed");
  const arrived = new Set(completed.map(({ number }) => number));
  const reported = new Set([...acknowledged].filter(isFinal).map(numberOf));
  const missing = [...reported].filter((number) => !arrived.has(number));
  const messages = new Map<number, Set<string>>();
  for (const { id, number } of completed) messages.set(number, (messages.get(number) ?? new Set()).add(id));
  return {
    tried: tried.size,
    acknowledged: acknowledged.size,
    retries: tries.length - tried.size,
    refused: linesOf(directory, "refused.log"),
    lost: [...acknowledged].filter((name) => !times.has(name)),
    doubled: [...times].filter(([, count]) => count > 1).map(([name]) => name),
    invented: [...times.keys()].filter((name) => !tried.has(name)),
    wrongCalls: [...new Set([...acknowledged].map(numberOf))]
      .filter((number) => calls.get(number) !== 1)
      .map((number) => `call ${number} is there ${calls.get(number) ?? 0} times`),
    undelivered: missing.filter((number) => !waitingNumbers.has(number)),
    stillDue: missing.filter((number) => waitingNumbers.has(number)).length,
    received: receipts.length,
    repeated: receipts.length - new Set(receipts.map(({ id }) => id)).size,
    toldTwice: [...messages].filter(([, ids]) => ids.size > 1).map(([number]) => number),
  };
}

/** A killed process's jobs are given to another one within a quarter of a minute, and then tried again after a moment. */
const pipelineMs = 30_000;

async function quiescence(api: PublicApi, patienceMs: number): Promise<void> {
  const settled = performance.now() + pipelineMs;
  while ((await isAnyUnsettled(api)) && performance.now() < settled) await sleep(1_000);
  const deadline = performance.now() + patienceMs;
  while ((await onTheirWay(api)).length > 0 && performance.now() < deadline) await sleep(500);
}

/** Calls that are over and of which call.completed is not written yet. */
async function isAnyUnsettled(api: PublicApi): Promise<boolean> {
  const over = (await api.all<Call>("/v1/calls?status=ended")).filter((call) => call.merged_into === null);
  const told = new Set((await api.all<Message>("/v1/messages?type=call.completed")).map((message) => message.call_id));
  return over.some(({ id }) => !told.has(id));
}

async function onTheirWay(api: PublicApi): Promise<Delivery[]> {
  return [
    ...(await api.all<Delivery>("/v1/deliveries?state=due")),
    ...(await api.all<Delivery>("/v1/deliveries?state=claimed")),
  ];
}

function linesOf(directory: string, file: string): string[] {
  const path = join(directory, file);
  return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
}

function receiptOf(line: string): { id: string; type: string; number: number } {
  const [id = "", type = "", number = ""] = line.split(" ");
  return { id, type, number: Number(number) };
}

function countBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, number> {
  const counts = new Map<Key, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
