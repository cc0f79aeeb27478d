import * as fc from "fast-check";
import { z } from "zod";

import { callEvent, MalformedBody } from "#/providers/provider.ts";
import type { Answer, CallEvent, Provider, ProviderRequest, Receipt, RouteKind } from "#/providers/provider.ts";

import { providerOf, requestOf } from "./provider-files.ts";
import type { Vector } from "./provider-files.ts";
import { bodies, expectedOf, parsed } from "./provider-fixtures.ts";

/** Values that have broken parsers before. */
export const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    null,
    "",
    " ",
    0,
    -1,
    1e308,
    "1e999",
    "NaN",
    "9".repeat(400),
    "\u0000",
    "\ud800",
    "toString",
    "constructor",
    [],
    {},
    [null],
    [[]],
    "x".repeat(10_000),
    "2026-13-45T99:99:99Z",
    "9223372036854775807",
    "infinity",
    true,
  ),
);

/** The body with its `at`-th field replaced. */
export function withField(body: Buffer, at: number, value: unknown): string {
  const root: unknown = JSON.parse(body.toString());
  const slots: { parent: Record<string, unknown>; name: string }[] = [];
  const walk = (node: unknown) => {
    if (typeof node !== "object" || node === null) return;
    for (const name of Object.keys(node)) {
      slots.push({ parent: node as Record<string, unknown>, name });
      walk((node as Record<string, unknown>)[name]);
    }
  };
  walk(root);
  const slot = slots[at % Math.max(1, slots.length)];
  if (slot) slot.parent[slot.name] = value;
  return JSON.stringify(root);
}

export function verified(
  folder: string,
  vector: Vector,
  changed: Partial<ProviderRequest> & { secrets?: Vector["secrets"] },
): boolean {
  const provider = providerOf(folder);
  const { secrets = vector.secrets, ...request } = changed;
  return provider.verify({
    request: { ...requestOf(vector.request), ...request },
    secrets,
    setup: provider.setup.parse(vector.setup ?? {}),
    nowMs: vector.now_ms,
  }).ok;
}

/** A shared secret says who, not what. */
export function signsBody(scheme: string): boolean {
  return !/secret|bearer|key$/.test(scheme);
}

/** Twilio signs fields, not bytes: some changed bytes are the same form. */
export function isSameForm(folder: string, a: Buffer, b: Buffer): boolean {
  if (!providerOf(folder).accepts.includes("form")) return false;
  return fieldsOf(a) === fieldsOf(b);
}

function fieldsOf(body: Buffer): string {
  const fields = new URLSearchParams(body.toString());
  fields.sort();
  return fields.toString();
}

/** The bytes were read into something storable, or refused as malformed; anything else thrown passes through. */
export function isReadOrMalformed(run: () => CallEvent[]): boolean {
  try {
    return run().every((event) => event.key !== "" && event.type !== "" && isStorable(event));
  } catch (error) {
    if (error instanceof MalformedBody) return true;
    throw error;
  }
}

/** Times are whole milliseconds in range and ids are short: the database takes every event. */
function isStorable(event: CallEvent): boolean {
  const times = [
    event.occurredAt,
    ...[event.facts, event.guesses].flatMap((f) => [f.started_at, f.answered_at, f.ended_at]),
  ];
  const lengths = [event.facts.duration_ms, event.guesses.duration_ms, event.facts.recording?.duration_ms];
  const turns = (event.transcript?.turns ?? []).flatMap(({ start_ms, end_ms }) => [start_ms, end_ms]);
  return (
    [...times, ...lengths, ...turns].every(
      (ms) => ms === null || ms === undefined || (Number.isSafeInteger(ms) && ms >= 0),
    ) && event.aliases.every(({ value }) => Buffer.byteLength(value) <= 255 && !/\p{C}/u.test(value))
  );
}

export function receiptsOf(folder: string, route: RouteKind): Receipt[] {
  const events = bodies(expectedOf(folder)).flatMap((file) => parsed(folder, file));
  const call = {
    id: "call_1",
    status: "ended",
    outcome: "completed",
    aliases: [{ kind: "call_sid", value: "CA1" }],
  } as const;
  const base = { eventId: "evt_1", training: null, problem: null };
  return [
    ...events.flatMap((event): Receipt[] => [
      { kind: "stored", route, results: [{ ...base, event, effect: "applied", call }] },
      { kind: "stored", route, results: [{ ...base, event, effect: "repeat", call }] },
      { kind: "stored", route, results: [{ ...base, event, effect: "recorded", call: null }] },
      { kind: "stored", route, results: [{ ...base, event, effect: "unmatched", call: null }] },
      {
        kind: "stored",
        route,
        results: [{ ...base, event, effect: "recorded", call: null, problem: "reducer threw" }],
      },
    ]),
    { kind: "stored", route, results: [] },
    {
      kind: "stored",
      route,
      results: [{ ...base, event: callEvent({ key: "k", type: "t" }), effect: "recorded", call: null }],
    },
    { kind: "unauthorized", route, code: "bad_signature" },
    { kind: "malformed", route, message: "Missing required field: x", field: "x" },
    { kind: "malformed", route, message: "The body is not valid JSON", field: null },
    { kind: "unavailable", route, message: "connection refused" },
    { kind: "too_many", route, retryAfterSeconds: 7 },
  ];
}

/** The answer tells the sender what to do: only what it sent wrong is a 4xx, and what may pass is a 5xx with a time to come again. */
export function isFitting(receipt: Receipt, answer: Answer, route: RouteKind): boolean {
  if (answer.status === 204 && answer.body !== "") return false;
  if (answer.contentType?.startsWith("application/json") && !isJson(answer.body)) return false;
  const ownFailure = answer.status === (route === "own" ? 503 : answer.status) && answer.status >= 500;
  switch (receipt.kind) {
    case "stored":
      if (receipt.results.some(({ problem }) => problem !== null)) return ownFailure;
      // 400 and 404 are answers that given systems document; a source's own URL takes everything that is stored.
      return answer.status < 300 || (route === "given" && [400, 404].includes(answer.status));
    case "unauthorized":
      return answer.status === 401 && !answer.body.includes(receipt.code);
    case "malformed":
      return answer.status === 400;
    case "unavailable":
      return ownFailure && answer.headers?.["retry-after"] !== undefined;
    case "too_many":
      return answer.status === 429 && answer.headers?.["retry-after"] === "7";
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The settings that a form could not explain: without a description or without a default. */
export function undescribed(provider: Provider): string[] {
  const walk = (schema: z.core.JSONSchema.BaseSchema, path: string): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
      if (typeof field === "boolean") return [`${path}${name}`];
      const isExplained = field.description !== undefined && field.default !== undefined;
      return [...(isExplained ? [] : [`${path}${name}`]), ...walk(field, `${path}${name}.`)];
    });
  return walk(z.toJSONSchema(provider.setup, { io: "input" }), "");
}
