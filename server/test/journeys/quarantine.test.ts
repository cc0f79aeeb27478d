import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, randomToken } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { signElevenlabs, signVapi } from "../harness/sign.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.stop());

const transcription = (conversation: string) =>
  fixture("elevenlabs", "given/post_call_transcription.json", { conv_abc123: conversation });

test("a wrong secret: refused and kept; replayed after the secret is fixed, it is applied", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const id = newUuid();
  const newSecret = randomToken("secret");
  const own = `/webhooks/${vapi.source.slug}`;
  const body = JSON.stringify({ type: "call.ended", call: { id, endedReason: "customer-ended-call" } });
  expect((await app.post(own, signVapi(newSecret, body))).status).toBe(401);
  const [kept] = await customer.quarantine();
  expect(kept).toMatchObject({ reason: "bad_signature", route: "own", replayed_at: null, body_bytes: body.length });

  const again = await customer.post(`/v1/quarantine/${kept?.id}/replay`, {});
  expect(again).toMatchObject({ replay_result: "bad_signature" });
  expect(await customer.events()).toEqual([]);

  await customer.post(`/v1/sources/${vapi.source.id}/secrets`, { slot: "secret", value: newSecret });
  expect(await customer.post(`/v1/quarantine/${kept?.id}/replay`, {})).toMatchObject({ replay_result: "accepted" });
  expect(await customer.calls()).toMatchObject([{ provider_call_id: id, status: "ended", outcome: "completed" }]);
  const [event] = await customer.events();
  // It dates from when it was first received.
  expect(event).toMatchObject({ received_at: kept?.received_at, effect: "applied", route: "own" });

  expect(await customer.post(`/v1/quarantine/${kept?.id}/replay`, {})).toMatchObject({ replay_result: "accepted" });
  expect((await app.post(own, signVapi(newSecret, body))).status).toBe(200);
  expect(await customer.events()).toMatchObject([{ seen_count: 2 }]);
});

test("all refused requests of a source at once", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const value = randomToken("secret");
  const own = `/webhooks/${vapi.source.slug}`;
  for (let i = 0; i < 5; i++) {
    await app.post(own, signVapi(value, JSON.stringify({ type: "call.ringing", call: { id: newUuid() } })));
  }
  await app.post(own, signVapi("wrong", JSON.stringify({ type: "call.ringing", call: { id: newUuid() } })));
  await customer.post(`/v1/sources/${vapi.source.id}/secrets`, { slot: "secret", value });
  expect(await customer.post("/v1/quarantine/replay", { source: vapi.source.id })).toEqual({ accepted: 5, refused: 1 });
  expect(await customer.calls()).toHaveLength(5);
});

test("a stale signature: refused and kept; an operator's replay accepts it, because the signature is right", async () => {
  const customer = await makeCustomer(app);
  const elevenlabs = await customer.connect("elevenlabs");
  const conversation = `conv_${randomToken("x")}`;
  await customer.post("/v1/calls", { provider: "elevenlabs", provider_call_id: conversation });
  const hourAgo = Date.now() - 3_600_000;
  const sent = signElevenlabs(elevenlabs.secret, transcription(conversation), hourAgo);
  expect((await app.post("/webhooks/elevenlabs/post-call", sent)).status).toBe(401);
  const [kept] = await customer.quarantine();
  expect(kept).toMatchObject({ reason: "timestamp_stale", route: "given" });
  expect(await customer.post(`/v1/quarantine/${kept?.id}/replay`, {})).toMatchObject({ replay_result: "accepted" });
  expect(await customer.calls()).toMatchObject([{ status: "ended", outcome: "completed" }]);
});

test("a stale request with a wrong signature stays refused", async () => {
  const customer = await makeCustomer(app);
  const elevenlabs = await customer.connect("elevenlabs");
  const own = `/webhooks/${elevenlabs.source.slug}`;
  await app.post(own, signElevenlabs("wrong", transcription("conv_x"), Date.now() - 3_600_000));
  const [kept] = await customer.quarantine();
  expect(kept?.reason).toBe("timestamp_stale");
  expect(await customer.post(`/v1/quarantine/${kept?.id}/replay`, {})).toMatchObject({
    replay_result: "bad_signature",
  });
  expect(await customer.events()).toEqual([]);
});

test("a stale request on a shared route is kept for the tenant that signed it, never for a neighbour", async () => {
  const [first, second] = [await makeCustomer(app), await makeCustomer(app)];
  await first.connect("elevenlabs");
  const { secret } = await second.connect("elevenlabs");
  const sent = signElevenlabs(secret, transcription("conv_theirs"), Date.now() - 3_600_000);
  expect((await app.post("/webhooks/elevenlabs/post-call", sent)).status).toBe(401);
  expect(await first.quarantine()).toEqual([]);
  expect(await second.quarantine()).toHaveLength(1);
});

test("a malformed body: kept with what was wrong with it, and refused again by a replay", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  await vapi.own('{"type":"call.ended"}');
  const [kept] = await customer.quarantine();
  expect(kept).toMatchObject({ reason: "malformed", detail: "Missing required field: call.id" });
  expect(await customer.post(`/v1/quarantine/${kept?.id}/replay`, {})).toMatchObject({ replay_result: "malformed" });
});

test("secrets in kept requests are neither shown nor stored in the clear", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const wrong = randomToken("nearly-right-secret");
  await app.post(`/webhooks/${vapi.source.slug}`, signVapi(wrong, "{}"));
  expect(JSON.stringify(await customer.quarantine())).not.toContain(wrong);
  const rows = await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.rows<{ text: string }>("select headers::text || encode(sealed_headers, 'escape') as text from quarantine"),
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]?.text).not.toContain(wrong);
});
