import type { Call } from "@aftercall/contract/call.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { known, startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newCallSid } from "../harness/customer.ts";
import { fixture, fixtureIds } from "../harness/fixture.ts";
import { signTwilio } from "../harness/sign.ts";

const path = "/webhook/call_status";
const recordingPath = "/webhook/recording_status";
const unauthorized = '{"error":"Unauthorized"}';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

/** A customer with a Twilio account, and a call that Twilio speaks of. */
async function withAccount() {
  const customer = await makeCustomer(app);
  const twilio = await customer.connect("twilio");
  const callSid = newCallSid();
  const body = (file: string) => {
    const text = fixture("twilio", `real/${file}.txt`, { [fixtureIds.accountSid]: twilio.keyId });
    return text.replace(/(?<!Parent)CallSid=CA[0-9a-f]{32}/, `CallSid=${callSid}`);
  };
  return { customer, twilio, callSid, body };
}

test("204: a call's callbacks, each with an empty answer, make and move the call", async () => {
  const { customer, twilio, callSid, body } = await withAccount();
  const statuses: (string | undefined)[] = [];
  for (const file of [
    "status.0-initiated",
    "status.1-ringing",
    "status.2-answered-in-progress",
    "status.3-completed",
  ]) {
    const answer = await twilio.given(body(file));
    expect(answer.said).toEqual([204, ""]);
    expect(answer.headers.get("content-type")).toBeNull();
    statuses.push((await customer.calls())[0]?.status);
  }
  expect(statuses).toEqual(["queued", "ringing", "in_progress", "ended"]);
  expect(await customer.calls()).toMatchObject([
    {
      provider: "twilio",
      provider_call_id: callSid,
      outcome: "completed",
      direction: "outbound",
      from: "+97233764400",
      to: "+972501234567",
      // CallDuration in seconds; Duration would be the minutes that are billed.
      duration_ms: 26_000,
      ended_at: "2025-12-10T14:23:45.000Z",
      answered_at: "2025-12-10T14:23:25.000Z",
    },
  ]);
});

test.each([
  ["busy", "ended", "busy"],
  ["no-answer", "ended", "no_answer"],
  ["failed", "failed", "failed"],
  ["canceled", "canceled", "canceled"],
])("204: %s is %s, %s", async (word, status, outcome) => {
  const { customer, twilio, body } = await withAccount();
  expect((await twilio.given(body(`status.terminal-${word}`))).said).toEqual([204, ""]);
  expect(await customer.calls()).toMatchObject([{ status, outcome }]);
});

test("204: callbacks in the wrong order, and a final status stays", async () => {
  const { customer, twilio, body } = await withAccount();
  for (const file of ["status.3-completed", "status.1-ringing", "status.terminal-busy", "status.0-initiated"]) {
    expect((await twilio.given(body(file))).status).toBe(204);
  }
  expect(await customer.calls()).toMatchObject([{ status: "ended", outcome: "completed" }]);
});

test("204: a repeat changes nothing", async () => {
  const { customer, twilio, body } = await withAccount();
  await twilio.given(body("status.3-completed"));
  await customer.settled();
  const before = await customer.calls();
  expect((await twilio.given(body("status.3-completed"))).said).toEqual([204, ""]);
  expect(await customer.calls()).toEqual(before);
  expect(await customer.events()).toMatchObject([{ seen_count: 2 }]);
});

test.each([path, recordingPath])(
  "204: a recording's callback on %s is attached, before or after the end",
  async (url) => {
    const { customer, twilio, body } = await withAccount();
    expect((await twilio.given(body("recording.completed"), url)).said).toEqual([204, ""]);
    await twilio.given(body("status.3-completed"));
    expect((await twilio.given(body("recording.absent-too-short"), url)).said).toEqual([204, ""]);
    const [call] = await customer.calls();
    expect(call).toMatchObject({
      status: "ended",
      recording: { status: "available", duration_ms: 20_000, channels: 2 },
    });
    expect(call?.recording?.url).toMatch(/^https:\/\/api\.twilio\.com\/.+\/Recordings\/RE1{32}\.wav$/);
  },
);

test("204: answering machine detection makes a completed call a voicemail, in either order", async () => {
  for (const isFirst of [true, false]) {
    const { customer, twilio, body } = await withAccount();
    const machine = body("amd.async").replace("AnsweredBy=human", "AnsweredBy=machine_start");
    const sent = [machine, body("status.3-completed")];
    for (const one of isFirst ? sent : sent.toReversed()) expect((await twilio.given(one)).status).toBe(204);
    expect(await customer.calls()).toMatchObject([{ outcome: "voicemail" }]);
  }
});

test("204: a form with plus signs for blanks is signed over what it means", async () => {
  const { customer, twilio, body } = await withAccount();
  expect((await twilio.given(body("status.inbound-completed.plus-encoded"))).status).toBe(204);
  expect(await customer.calls()).toMatchObject([{ direction: "inbound", ended_at: "2025-12-10T14:23:45.000Z" }]);
});

test("204: a leg that the call dialled is another name of the call", async () => {
  const { customer, twilio, callSid, body } = await withAccount();
  await twilio.given(body("status.2-answered-in-progress"));
  const leg = fixture("twilio", "real/status.child-leg-completed.txt", {
    [fixtureIds.accountSid]: twilio.keyId,
    [fixtureIds.callSid]: callSid,
    CA1b7d5726533ab525a8760351e9b5e415: newCallSid(),
  });
  expect((await twilio.given(leg)).status).toBe(204);
  const [call, ...others]: Call[] = await customer.calls();
  expect(others).toEqual([]);
  expect([call?.status, call?.aliases.length]).toEqual(["in_progress", 2]);
});

test("401: no signature, a wrong token, another URL, another account, a field added", async () => {
  const { customer, twilio, body } = await withAccount();
  const { headers, body: sent } = twilio.sign(body("status.3-completed"));
  const { "x-twilio-signature": _signature, ...unsigned } = headers;
  const ofOther = sent.replace(twilio.keyId, "AC99999999999999999999999999999999");
  for (const wrong of [
    { headers: unsigned, body: sent },
    signTwilio("wrong", known.publicUrl + path, sent),
    signTwilio(twilio.secret, `https://elsewhere.example.com${path}`, sent),
    signTwilio(twilio.secret, known.publicUrl + path, ofOther),
    { headers, body: `${sent}&Extra=1` },
  ]) {
    expect((await app.post(path, wrong)).said).toEqual([401, unauthorized]);
  }
  expect(await customer.calls()).toEqual([]);
  expect(await customer.events()).toEqual([]);
});

test("400: nothing that names a call or an account", async () => {
  const { customer, twilio } = await withAccount();
  const answer = await twilio.own("CallStatus=completed");
  expect(answer.said).toEqual([400, '{"error":"Bad Request","message":"Missing required field: CallSid"}']);
  expect(await customer.quarantine()).toMatchObject([{ reason: "malformed" }]);
});

test("503: the database is away, on every route; the repeat is taken in", async () => {
  const { customer, twilio, body } = await withAccount();
  const sent = body("status.3-completed");
  app.database.cut();
  const answers = [await twilio.given(sent), await twilio.given(sent), await twilio.own(sent)];
  app.database.restore();
  for (const answer of answers) {
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(answer.text).not.toMatch(/ECONN|terminated|127\.0\.0\.1/);
  }
  expect((await twilio.given(sent)).said).toEqual([204, ""]);
  expect(await customer.calls()).toMatchObject([{ status: "ended" }]);
});
