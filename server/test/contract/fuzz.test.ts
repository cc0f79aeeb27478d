import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { newUuid } from "../harness/customer.ts";
import { everyRequest } from "./draw-request.ts";
import { type Fuzzed, startFuzzed } from "./fuzzed.ts";

/*
 * Requests drawn from the OpenAPI document, good and bad, at the whole server: no answer may be our own failure, and each must
 * be one that the document describes. `FUZZ_REQUESTS` says how many (`npm run fuzz`: 20,000); `FUZZ_SEED` runs one again.
 */
const total = Number(process.env["FUZZ_REQUESTS"] ?? 1_000);
const atOnce = 8;

let fuzzed: Fuzzed;
beforeAll(async () => {
  fuzzed = await startFuzzed();
}, 120_000);
afterAll(() => fuzzed.stop());

test(`no 5xx and nothing undocumented in ${total} requests`, { timeout: 3_600_000 }, async () => {
  let sent = 0;
  const faults = new Set<string>();
  const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(total * 7919 + 17));
  await fc.assert(
    fc.asyncProperty(fc.array(everyRequest(), { minLength: atOnce, maxLength: atOnce }), async (batch) => {
      const answers = await Promise.all(batch.map(fuzzed.send));
      sent += batch.length;
      for (const fault of answers) if (fault !== null && faults.size < 20) faults.add(fault);
    }),
    { numRuns: Math.ceil(total / atOnce), seed, endOnFailure: true },
  );
  expect([...faults]).toEqual([]);
  expect(sent).toBeGreaterThanOrEqual(total);
});

test("422: a version that no plan can have is refused, and never our failure", async () => {
  const { ask, post, calls } = fuzzed.operator;
  const { id } = await post("/v1/analysis-plans", { name: "Any" });
  const [call] = await calls();
  const answers = [
    await ask("GET", `/v1/analysis-plans/${id}/agreement?version=2147483648`),
    await ask("POST", `/v1/analysis-plans/${id}/draft`, { from_version: 2_147_483_648 }),
    await ask("POST", `/v1/calls/${call?.id}/analysis-runs`, { plan_id: id, version: 2_147_483_648 }),
    await ask("POST", "/v1/analysis-jobs", { plan_id: id, version: 2_147_483_648 }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 422]);
});

test.each([
  ["half a character", "\ud800"],
  ["a NUL", "\u0000"],
])("%s in JSON of any shape is refused or mended, and never our failure", async (_name, text) => {
  const free = { [text]: text, list: [text] };
  for (const [path, body] of [
    ["/v1/training-sessions", { feedback: free }],
    ["/v1/calls", { provider: "vapi", provider_call_id: newUuid(), metadata: free }],
    ["/v1/campaigns", { name: text }],
    ["/v1/event-types", { name: `lead.q${newUuid().slice(0, 8)}`, examples: { en: free } }],
    ["/v1/endpoints", { url: "http://127.0.0.1:59999/", description: text, metadata: free }],
    ["/v1/analysis-plans", { name: text }],
    ["/v1/members", { external_id: newUuid(), role: "viewer", name: text }],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- Few.
    const { status } = await fuzzed.operator.ask("POST", path, body);
    expect([path, status < 500]).toEqual([path, true]);
  }
});
