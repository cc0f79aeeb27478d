import type { Assignment, TrainingSession } from "@aftercall/contract/training.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { completion, honest, json, plainCall } from "#/models/language/test-model.ts";

import { running, startTestApp, type Running, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, randomToken, type Customer } from "../harness/customer.ts";
import { startDatabaseProxy } from "../harness/database-proxy.ts";
import { discardDatabase, ownDatabase } from "../harness/database.ts";
import { fixture } from "../harness/fixture.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver, type Receiver } from "../harness/receiver.ts";
import { startServerProcess } from "../harness/server-process.ts";

const records = fixture("wonderful", "real-ish/transcript-records.json");

let app: TestApp;
let api: Receiver;
beforeAll(async () => {
  [app, api] = await Promise.all([startTestApp(), startReceiver()]);
  api.answer({ status: 200, body: records });
});
afterAll(async () => {
  await app.stop();
  await api.close();
});

/** A customer whose practice call was reported; the answer of the webhook is handed out, not waited for. */
async function practising(on: Running, from: Receiver, customer?: Customer) {
  const somebody = customer ?? (await makeCustomer(on));
  const wonderful = await somebody.connect("wonderful", { setup: { api: { base_url: from.url } } });
  const assignment: Assignment = await somebody.post("/v1/assignments", { title: "Objections" });
  const made: TrainingSession = await somebody.post("/v1/training-sessions", {
    session_id: newUuid(),
    assignment_id: assignment.id,
  });
  const body = { communication_id: randomToken("comm"), session_id: made.session_id };
  const answer = wonderful.given(body);
  const session = (): Promise<TrainingSession> => somebody.get(`/v1/training-sessions/${made.id}`);
  return { customer: somebody, answer, session, id: made.id, assignmentId: assignment.id };
}

async function until<Value>(read: () => Promise<Value>, isWanted: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await read();
    if (isWanted(value)) return value;
    await systemClock.sleep(50);
  }
}

test("a person's verdict changes the score of the session and is told; the machine's stays in its run", async () => {
  const receiver = await startReceiver();
  const customer = await makeCustomer(app);
  const { secret } = await customer.subscribe(receiver, { types: ["evaluation.*"] });
  const { answer, session } = await practising(app, api, customer);
  expect((await answer).status).toBe(200);
  const { run_id, feedback } = await session();
  const before = await customer.get(`/v1/analysis-runs/${run_id}`);
  const { criterion_id } = before.evaluation.results.find(({ verdict }: { verdict: string }) => verdict === "not_met");
  const changed = await customer.post(`/v1/analysis-runs/${run_id}/overrides`, {
    criterion_id,
    verdict: "met",
    reason: "missing_evidence",
    comment: "נאמר",
  });
  expect(changed.evaluation).toEqual(before.evaluation);
  expect(changed.effective.score).toBeGreaterThan(before.evaluation.score);
  const after = await session();
  expect(after.feedback).toMatchObject({ score: changed.effective.score });
  expect(after.feedback).not.toEqual(feedback);
  const [message] = await verifiedMessages(receiver, secret, 1);
  expect(message).toMatchObject({
    type: "evaluation.overridden",
    data: { run: { id: run_id }, override: { criterion_id, comment: "נאמר" }, machine_verdict: "not_met" },
  });
  await receiver.close();
});

test("a rubric of one's own grades the session once more when asked to; the first run stays", async () => {
  const receiver = await startReceiver();
  const customer = await makeCustomer(app);
  const { secret } = await customer.subscribe(receiver, { types: ["training.*"] });
  const { answer, session, id } = await practising(app, api, customer);
  expect((await answer).status).toBe(200);
  const first = await session();
  const plan = await customer.post("/v1/analysis-plans", {
    name: "Our own",
    definition: {
      applies_when: { purposes: ["training"] },
      gates: { min_turns: 0, min_customer_words: 0 },
      rubric: {
        criteria: [
          { id: "hello", name: "Says hello", kind: "phrase", phrase: { id: "hello", name: "Hello", any_of: ["שלום"] } },
        ],
      },
    },
  });
  await customer.post(`/v1/analysis-plans/${plan.id}/publish`, undefined);
  expect(await customer.post(`/v1/training-sessions/${id}/regenerate`, undefined)).toMatchObject({
    state: "ready",
    is_regenerating: true,
    feedback: first.feedback,
  });
  const second = await until(session, ({ is_regenerating }) => !is_regenerating);
  expect(second).toMatchObject({ state: "ready", feedback: { score: 100, rubric: { id: plan.id, version: 1 } } });
  expect((await customer.get(`/v1/analysis-runs/${first.run_id}`)).evaluation).not.toBeNull();
  expect((await customer.ask("POST", `/v1/training-sessions/${id}/regenerate`)).status).toBe(409);
  const told = await verifiedMessages(receiver, secret, 2);
  expect(new Set(told.map((message) => message.id)).size).toBe(2);
  await receiver.close();
});

test("what only a language model can decide is no score without one, and the session says so", async () => {
  const customer = await makeCustomer(app);
  const plan = await customer.post("/v1/analysis-plans", {
    name: "Soft skills",
    definition: {
      applies_when: { purposes: ["training"] },
      gates: { min_turns: 0, min_customer_words: 0 },
      rubric: {
        criteria: [{ id: "empathy", name: "Empathy", kind: "check", description: "Shows that they understood." }],
      },
    },
  });
  await customer.post(`/v1/analysis-plans/${plan.id}/publish`, undefined);
  const { answer, session } = await practising(app, api, customer);
  expect((await answer).status).toBe(200);
  expect(await session()).toMatchObject({
    state: "ready",
    feedback: { score: null, coverage: 0, engine: "builtin", breakdown: [{ verdict: "unknown", score: null }] },
    reason: "nothing_measurable",
    detail: expect.stringContaining("without a language model"),
  });
});

test("a language model that is away is told and waited for; when it answers, it was asked by one alone", async () => {
  const model = await startReceiver();
  let isUp = false;
  model.answer(() => (isUp ? completion(honest) : json({ error: { message: "busy" } }, 503)));
  const customer = await makeCustomer(app);
  const engine = { model: "gpt-4o-mini", base_url: `${model.url}v1`, api_key: "sk-of-this-test-0123456789" };
  expect((await customer.ask("PUT", "/v1/engines/language", engine)).status).toBe(200);
  const plan = await customer.post("/v1/analysis-plans", {
    name: "By quotes",
    definition: {
      applies_when: { purposes: ["training"] },
      gates: { min_turns: 0, min_customer_words: 0 },
      fields: [
        { name: "city", kind: "ai" },
        { name: "rooms", kind: "ai", schema: { type: "integer" } },
      ],
      rubric: {
        criteria: [
          { id: "greeting", name: "Greets", kind: "check", checks: [{ id: "says_name", text: "Says a name" }] },
          { id: "empathy", name: "Shows understanding", kind: "scale", max_points: 10 },
        ],
      },
    },
  });
  await customer.post(`/v1/analysis-plans/${plan.id}/publish`, undefined);
  const spoken = plainCall.map(({ role, text }, i) => ({
    speaker: role,
    text,
    start_time: 1_700_000_000_000 + i * 5_000,
    end_time: 1_700_000_004_000 + i * 5_000,
  }));
  const wonderful = await startReceiver();
  wonderful.answer({ status: 200, body: JSON.stringify(spoken) });

  const { answer, session } = await practising(app, wonderful, customer);
  expect((await answer).status).toBe(500);
  expect(await session()).toMatchObject({ state: "requested", reason: "engine_unavailable" });
  isUp = true;
  const before = model.received.length;
  const ready = await until(session, ({ state }) => state === "ready");
  expect(ready.feedback).toMatchObject({
    engine: "llm",
    breakdown: [
      { criterion_id: "greeting", verdict: "met", evidence: [{ turn: 0 }] },
      { criterion_id: "empathy", verdict: "partial", score: 6 },
    ],
  });
  expect(model.received.length - before).toBe(1);
  expect(wonderful.received).toHaveLength(1);
  await Promise.all([model.close(), wonderful.close()]);
});

test("a server that is killed while it waits for the transcript: another finishes it, once", async () => {
  const own = await ownDatabase();
  const proxy = await startDatabaseProxy(own.connection);
  const [receiver, slow] = [await startReceiver(), await startReceiver()];
  slow.answer((_request, count) => (count === 1 ? "hang" : { status: 200, body: records }));
  const doomed = await startServerProcess(proxy.url);
  const first = running(doomed.url, own.db);
  const customer = await makeCustomer(first);
  const { secret } = await customer.subscribe(receiver, { types: ["training.*"] });
  const { answer, id, assignmentId } = await practising(first, slow, customer);
  const cut = answer.then(
    () => "answered",
    () => "cut off",
  );
  await slow.waitFor(1);
  await doomed.kill();
  expect(await cut).toBe("cut off");

  const heir = await startServerProcess(proxy.url);
  const second = running(heir.url, own.db);
  const ask = async (path: string) => (await second.ask(customer.key, "GET", path)).json;
  await until<TrainingSession>(
    () => ask(`/v1/training-sessions/${id}`),
    ({ state }) => state === "ready",
  );
  expect(await ask(`/v1/assignments/${assignmentId}`)).toMatchObject({ status: "completed" });
  expect(await verifiedMessages(receiver, secret, 1)).toMatchObject([{ type: "training.feedback_ready" }]);
  const runs = await own.db.inTransaction([customer.tenantId], (tx) =>
    tx.rows("select run_id from training_runs where tenant_id = $1", [customer.tenantId]),
  );
  expect(runs).toHaveLength(1);
  expect(receiver.received).toHaveLength(1);
  await heir.stop();
  await Promise.all([receiver.close(), slow.close()]);
  await proxy.close();
  await discardDatabase(own);
}, 90_000);
