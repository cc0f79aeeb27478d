import { StepName } from "@aftercall/contract/analysis/step.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Change } from "#/calls/change.ts";
import { turnsOf } from "#/models/language/test-model.ts";

import { runPipelines } from "./run.ts";
import { loadSteps } from "./store.ts";
import { Died, dyingDb, pipelineSetup } from "./test-setup.ts";

// Calls that are worked on together share their transactions and nothing else.

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());

type Ids = { readonly tenantId: string; readonly callId: string };

const about = (city: string) =>
  turnsOf(["agent", "שלום, במה אפשר לעזור?"], ["customer", `אני צריכה שיווק נכס ב${city}, תודה רבה לך.`]);

async function callsOf(cities: readonly string[]): Promise<Ids[]> {
  const calls: Ids[] = [];
  for (const city of cities) calls.push(await setup.makeCall(await setup.makeTenant(), { turns: about(city) }));
  return calls;
}

function settledCalls(changes: readonly Change[]): string[] {
  return changes.flatMap((change) => (change.type === "call.settled" ? [change.after.id] : []));
}

const idsOf = (calls: readonly Ids[]) => calls.map(({ callId }) => callId).toSorted();

test("each call gets what was said in it, and nothing of another tenant's call beside it", async () => {
  const cities = ["חיפה", "אילת", "נתניה", "אשדוד"];
  const calls = await callsOf(cities);
  const bench = setup.bench();
  expect(await bench.runTogether(calls)).toEqual([null, null, null, null]);
  for (const [at, { tenantId, callId }] of calls.entries()) {
    const [run] = await setup.db.inTransaction([tenantId], (tx) =>
      tx.rows<{ fields: { name: string; value: unknown }[]; text: string; steps: number }>(
        `select r.fields, s.text, (select count(*)::int from step_results) as steps
           from analysis_runs r join call_search s on s.call_id = r.call_id where r.call_id = $1 and r.is_current`,
        [callId],
      ),
    );
    expect(run?.fields.find(({ name }) => name === "city")?.value).toBe(cities[at]);
    for (const city of cities) expect(run?.text.includes(city)).toBe(city === cities[at]);
    expect(run?.steps).toBe(StepName.options.length);
  }
});

test("a call that cannot be written holds up no other: its job alone fails, and does it later", async () => {
  const calls = await callsOf(["חיפה", "אילת", "נתניה"]);
  const [, bad] = calls;
  const bench = setup.bench();
  const isBad = (change: Change) => "after" in change && change.after.id === bad?.callId;
  const react: typeof bench.deps.react = (tx, changes) =>
    changes.some(isBad) ? Promise.reject(new Error("refused")) : bench.deps.react(tx, changes);
  const jobs = calls.map((data) => ({ data, jobId: setup.ids.next(), signal: new AbortController().signal }));
  expect(await runPipelines({ ...bench.deps, react }, jobs)).toMatchObject([null, { message: "refused" }, null]);
  expect(settledCalls(bench.changes).toSorted()).toEqual(idsOf(calls.filter((call) => call !== bad)));
  expect(await runPipelines(bench.deps, jobs.slice(1, 2))).toEqual([null]);
  expect(settledCalls(bench.changes).toSorted()).toEqual(idsOf(calls));
});

test("several jobs of one call in one batch, and the same batch in two processes: one result for each call", async () => {
  const calls = await callsOf(["חיפה", "אילת"]);
  const [one, two] = [setup.bench(), setup.bench()];
  await Promise.all([one.runTogether([...calls, ...calls]), two.runTogether(calls.toReversed())]);
  expect(settledCalls([...one.changes, ...two.changes]).toSorted()).toEqual(idsOf(calls));
});

test.each(["before", "after"] as const)(
  "whichever commit of a batch the process dies %s, the next process ends with every step and one result for each call",
  async (when) => {
    for (const at of [1, 2]) {
      const calls = await callsOf(["חיפה", "אילת", "נתניה"]);
      const jobs = calls.map((data) => ({ data, jobId: setup.ids.next(), signal: new AbortController().signal }));
      const first = setup.bench({ db: dyingDb(setup.db, at, when).db });
      const failures = await runPipelines(first.deps, jobs);
      expect(failures.every((failure) => failure instanceof Died)).toBe(true);
      // The queue gives the same jobs to another process.
      const second = setup.bench();
      expect(await runPipelines(second.deps, jobs)).toEqual([null, null, null]);
      const isKept = at === 2 && when === "after";
      expect(settledCalls(second.changes).toSorted()).toEqual(isKept ? [] : idsOf(calls));
      for (const { tenantId, callId } of calls) {
        const steps = await setup.db.inTransaction([tenantId], (tx) => loadSteps(tx, tenantId, callId));
        expect(steps.find(({ row }) => row.step === "settle")?.row.state).toBe("succeeded");
      }
    }
  },
);
