import { TrainingFeedback, type Assignment, type TrainingSession } from "@aftercall/contract/training.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, randomToken, type Customer, type Line } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { startReceiver, type Receiver, type Reply } from "../harness/receiver.ts";

const path = "/api/webhooks/wonderful/call-complete";
const success = '{"success":true}';
const exists = '{"success":true,"message":"Feedback already exists"}';
const invalid = '{"success":false,"error":"Invalid request body"}';
const notFound = '{"success":false,"error":"Training session not found"}';
const failure = '{"success":false,"error":"Internal server error"}';
const unauthorized = '{"success":false,"error":"Unauthorized"}';

const pending = '{"success":true,"message":"Feedback is being generated"}';
const records = fixture("wonderful", "real-ish/transcript-records.json");

let app: TestApp;
/** Wonderful's Communication API; each test decides what it says to its own communication. */
let api: Receiver;
const answers = new Map<string, (count: number) => Reply>();
const asked = new Map<string, number>();
beforeAll(async () => {
  [app, api] = await Promise.all([startTestApp({ AFTERCALL_TRAINING_ANSWER_SECONDS: "8" }), startReceiver()]);
  api.answer(({ path }) => {
    const id = decodeURIComponent(path.split("/")[4] ?? "");
    const count = (asked.get(id) ?? 0) + 1;
    asked.set(id, count);
    return answers.get(id)?.(count) ?? { status: 200, body: records };
  });
});
afterAll(async () => {
  await app.stop();
  await api.close();
});

async function connected(): Promise<{ customer: Customer; wonderful: Line }> {
  const customer = await makeCustomer(app);
  return { customer, wonderful: await customer.connect("wonderful", { setup: { api: { base_url: api.url } } }) };
}

async function withSession(feedback?: Record<string, unknown>) {
  const { customer, wonderful } = await connected();
  const assignment: Assignment = await customer.post("/v1/assignments", { title: "Objections" });
  const made: TrainingSession = await customer.post("/v1/training-sessions", {
    session_id: newUuid(),
    assignment_id: assignment.id,
    ...(feedback && { feedback }),
  });
  const session = (): Promise<TrainingSession> => customer.get(`/v1/training-sessions/${made.id}`);
  return { customer, wonderful, sessionId: made.session_id, id: made.id, session, assignmentId: assignment.id };
}

const bodyOf = (sessionId: string, communicationId = randomToken("comm")) => ({
  communication_id: communicationId,
  session_id: sessionId,
});

/** Resolves with the first session that is as wanted. */
async function sessionThat(
  read: () => Promise<TrainingSession>,
  isWanted: (session: TrainingSession) => boolean,
): Promise<TrainingSession> {
  for (;;) {
    const session = await read();
    if (isWanted(session)) return session;
    await systemClock.sleep(50);
  }
}

test("200: the feedback is there, the assignment completed, and who subscribed is told", async () => {
  const { customer, wonderful, sessionId, session, assignmentId } = await withSession();
  const receiver = await startReceiver();
  const endpoint = await customer.subscribe(receiver, { types: ["training.*"] });
  const body = bodyOf(sessionId);
  const answer = await wonderful.given(body);
  expect(answer.said).toEqual([200, success]);
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  const [call] = await customer.calls();
  expect(call).toMatchObject({ provider: "wonderful", provider_call_id: body.communication_id, status: "ended" });
  const ready = await session();
  expect(ready).toMatchObject({ state: "ready", communication_id: body.communication_id, call_id: call?.id });
  expect(TrainingFeedback.safeParse(ready.feedback).error).toBeUndefined();
  expect(await customer.get(`/v1/assignments/${assignmentId}`)).toMatchObject({ status: "completed" });
  expect(await customer.get(`/v1/analysis-runs/${ready.run_id}`)).toMatchObject({
    trigger: "training",
    call_id: call?.id,
  });
  const [message] = await verifiedMessages(receiver, endpoint.secret, 1);
  expect(message).toMatchObject({ type: "training.feedback_ready", data: { session: ready } });
  await receiver.close();
});

test("200: a session that has feedback is answered so, and stays as it is", async () => {
  const { customer, wonderful, sessionId, session } = await withSession({ score: 90, highlights: ["מצוין"] });
  const { state, feedback, ready_at } = await session();
  expect([state, feedback]).toEqual(["ready", { score: 90, highlights: ["מצוין"] }]);
  expect((await wonderful.given(bodyOf(sessionId))).said).toEqual([200, exists]);
  expect(await session()).toMatchObject({ state, feedback, ready_at });
  expect(await customer.events()).toHaveLength(1);
});

test("200: a repeat, and another call for the same session, never start a second run; both events are kept", async () => {
  const { customer, wonderful, sessionId, session } = await withSession();
  const body = bodyOf(sessionId);
  expect((await wonderful.given(body)).said).toEqual([200, success]);
  const before = await session();
  expect((await wonderful.given(body)).said).toEqual([200, exists]);
  expect((await wonderful.given(bodyOf(sessionId))).said).toEqual([200, exists]);
  expect(await session()).toEqual(before);
  expect(asked.get(body.communication_id)).toBe(1);
  expect((await customer.events()).map((event) => event.seen_count)).toEqual([2, 1]);
});

test("200: of 50 requests at once one generates, and the others wait for it", async () => {
  const { wonderful, sessionId, session } = await withSession();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => wonderful.given(bodyOf(sessionId, `comm_${i % 5}_${sessionId}`))),
  );
  const texts = answers.map(({ said }) => said[1]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(texts.filter((text) => text === success)).toHaveLength(1);
  expect(texts.filter((text) => text === exists)).toHaveLength(49);
  expect((await session()).state).toBe("ready");
  expect([...asked].filter(([id]) => id.endsWith(sessionId)).map(([, count]) => count)).toEqual([1]);
});

test("200: the ids are opaque; letter case of the session's UUID does not matter", async () => {
  const { wonderful, sessionId, session } = await withSession();
  const body = bodyOf(sessionId.toUpperCase(), "  כל שם  /?#");
  expect((await wonderful.given(body)).status).toBe(200);
  expect((await session()).state).toBe("ready");
});

test("200: a transcript that is not there yet is waited for", async () => {
  const { wonderful, sessionId } = await withSession();
  const body = bodyOf(sessionId);
  answers.set(body.communication_id, (count) => ({
    status: count === 1 ? 404 : 200,
    body: count === 1 ? "{}" : records,
  }));
  expect((await wonderful.given(body)).said).toEqual([200, success]);
  expect(asked.get(body.communication_id)).toBe(2);
});

test("202: past the deadline the work goes on, and a repeat finds it done", async () => {
  const { wonderful, sessionId, session } = await withSession();
  const body = bodyOf(sessionId);
  const released = Promise.withResolvers<undefined>();
  answers.set(body.communication_id, () => ({ status: 200, body: records, after: released.promise }));
  const answer = await wonderful.given(body);
  expect(answer.said).toEqual([202, pending]);
  expect((await session()).state).toBe("requested");
  released.resolve(undefined);
  expect((await wonderful.given(body)).said).toEqual([200, exists]);
  expect(asked.get(body.communication_id)).toBe(1);
});

test("500: a failing attempt is told at once; it is tried again by itself, and a repeat starts no second run", async () => {
  const { wonderful, sessionId, session } = await withSession();
  const body = bodyOf(sessionId);
  answers.set(body.communication_id, (count) => ({
    status: count === 1 ? 500 : 200,
    body: count === 1 ? "boom" : records,
  }));
  expect((await wonderful.given(body)).said).toEqual([500, failure]);
  expect(await session()).toMatchObject({
    state: "requested",
    reason: "transcript_unavailable",
    detail: "The Communication API answered 500.",
  });
  // The next attempt comes within the deadline of the repeat, which waits for it.
  expect((await wonderful.given(body)).said).toEqual([200, exists]);
  expect(await session()).toMatchObject({ state: "ready", attempts: 2, reason: null });
  expect(asked.get(body.communication_id)).toBe(2);
});

test("500: what only a person can mend ends the work; the session says what to do, and goes on when told to", async () => {
  const { customer, wonderful, sessionId, id, session } = await withSession();
  const body = bodyOf(sessionId);
  let isOpen = false;
  answers.set(body.communication_id, () => (isOpen ? { status: 200, body: records } : { status: 401, body: "{}" }));
  expect((await wonderful.given(body)).said).toEqual([500, failure]);
  expect((await wonderful.given(body)).said).toEqual([500, failure]);
  const failed = await session();
  expect(failed).toMatchObject({
    state: "failed",
    reason: "transcript_refused",
    detail: expect.stringContaining("api_key"),
  });
  expect(asked.get(body.communication_id)).toBe(1);
  isOpen = true;
  expect(await customer.post(`/v1/training-sessions/${id}/regenerate`, undefined)).toMatchObject({
    state: "requested",
  });
  expect((await wonderful.given(body)).said).toEqual([200, exists]);
  expect((await customer.ask("POST", `/v1/training-sessions/${id}/regenerate`)).json.detail).toContain(
    "version 1 of the rubric",
  );
});

test.each([
  ["no JSON", "not json"],
  ["no object", "[]"],
  ["no session", fixture("wonderful", "given/call-complete.missing-session.json")],
  ["a session that is no UUID", fixture("wonderful", "given/call-complete.bad-uuid.json")],
  ["no communication", JSON.stringify({ session_id: newUuid() })],
  ["a number as communication", JSON.stringify({ session_id: newUuid(), communication_id: 7 })],
  ["an empty communication", JSON.stringify({ session_id: newUuid(), communication_id: "" })],
  ["null", JSON.stringify({ session_id: null, communication_id: "comm_1" })],
])("400: %s", async (_name, body) => {
  const { customer, wonderful } = await connected();
  expect((await wonderful.given(body)).said).toEqual([400, invalid]);
  expect(await customer.events()).toEqual([]);
});

test("401: no secret, or a wrong one", async () => {
  const { customer, wonderful, sessionId, session } = await withSession();
  const { headers, body } = wonderful.sign(bodyOf(sessionId));
  expect((await app.post(path, { headers: { "content-type": "application/json" }, body })).said).toEqual([
    401,
    unauthorized,
  ]);
  expect((await app.post(path, { headers: { ...headers, "x-webhook-secret": "wrong" }, body })).said).toEqual([
    401,
    unauthorized,
  ]);
  expect((await session()).state).toBe("open");
  expect(await customer.events()).toEqual([]);
});

test("404: no such session; the event is kept, shown as waiting, and applied when the session is made", async () => {
  const { customer, wonderful } = await connected();
  const body = bodyOf(newUuid());
  expect((await wonderful.given(body)).said).toEqual([404, notFound]);
  expect((await wonderful.given(body)).said).toEqual([404, notFound]);
  expect(await customer.events("waiting=true")).toMatchObject([{ effect: "unmatched", seen_count: 2 }]);

  const made: TrainingSession = await customer.post("/v1/training-sessions", { session_id: body.session_id });
  expect(made).toMatchObject({ state: "requested", communication_id: body.communication_id });
  expect(await customer.events("waiting=true")).toEqual([]);
  const read = (): Promise<TrainingSession> => customer.get(`/v1/training-sessions/${made.id}`);
  const session = await sessionThat(read, ({ state }) => state === "ready");
  const [call] = await customer.calls();
  expect(session.call_id).toBe(call?.id);
  expect((await wonderful.given(body)).said).toEqual([200, exists]);
});

test("404: another tenant's session is the same as none", async () => {
  const { sessionId, session } = await withSession();
  const { wonderful } = await connected();
  expect((await wonderful.given(bodyOf(sessionId))).said).toEqual([404, notFound]);
  expect((await session()).state).toBe("open");
});

test("500: the database is away; the repeat claims the session", async () => {
  const { customer, wonderful, sessionId, session } = await withSession();
  const body = bodyOf(sessionId);
  await wonderful.given(bodyOf(newUuid()));
  app.database.cut();
  const answer = await wonderful.given(body);
  const own = await wonderful.own(body);
  app.database.restore();
  expect(answer.said).toEqual([500, failure]);
  expect(answer.headers.get("retry-after")).toBe("5");
  expect([own.status, own.headers.get("retry-after")]).toEqual([503, "5"]);
  expect((await wonderful.given(body)).said).toEqual([200, success]);
  expect((await session()).state).toBe("ready");
  expect(await customer.events()).toHaveLength(2);
});

test("200: on the own URL an unknown session is stored and waits", async () => {
  const { customer, wonderful } = await connected();
  expect((await wonderful.own(bodyOf(newUuid()))).status).toBe(200);
  expect(await customer.events("waiting=true")).toHaveLength(1);
});
