import { createHmac } from "node:crypto";

import type { RotatedSecret } from "@aftercall/contract/source.ts";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";

import { known, startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newCallSid, newUuid, randomToken, type Customer } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { signVapi } from "../harness/sign.ts";

const given = "/api/webhooks/vapi";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ WONDERFUL_API_BASE_URL: "https://tenant.api.wonderful.example" });
});
afterAll(() => app.stop());

const ringing = (id: string) => JSON.stringify({ type: "call.ringing", call: { id } });

test("two sources of one provider have secrets of their own, also on the one given route", async () => {
  const customer = await makeCustomer(app);
  const [first, second] = [await customer.connect("vapi"), await customer.connect("vapi")];
  const [a, b] = [newUuid(), newUuid()];
  for (const id of [a, b]) await customer.post("/v1/calls", { provider: "vapi", provider_call_id: id });
  expect((await first.given(ringing(a))).status).toBe(200);
  expect((await second.given(ringing(b))).status).toBe(200);
  expect((await customer.events()).map((event) => event.source_id)).toEqual([first.source.id, second.source.id]);

  const own = `/webhooks/${first.source.slug}`;
  expect((await app.post(own, signVapi(first.secret, ringing(a)))).status).toBe(200);
  expect((await app.post(own, signVapi(second.secret, ringing(a)))).status).toBe(401);
});

test("a source that is not on the given routes is reached under its own URL only", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi", { on_given_routes: false });
  expect((await vapi.given(ringing(newUuid()))).status).toBe(401);
  expect((await vapi.own(ringing(newUuid()))).status).toBe(200);
});

test("a disabled source takes nothing, and everything again once it is enabled", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const path = `/v1/sources/${vapi.source.id}`;
  await customer.ask("PATCH", path, { is_enabled: false });
  expect((await vapi.given(ringing(newUuid()))).status).toBe(401);
  expect((await vapi.own(ringing(newUuid()))).status).toBe(404);
  await customer.ask("PATCH", path, { is_enabled: true });
  expect((await vapi.own(ringing(newUuid()))).status).toBe(200);
});

test("rotation: old and new count together, never three, and the old one ends when it is removed", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const secrets = `/v1/sources/${vapi.source.id}/secrets`;
  const send = async (secret: string) => (await app.post(given, signVapi(secret, ringing(newUuid())))).status;
  const rotated: RotatedSecret = await customer.post(`${secrets}/rotate`, { slot: "secret", overlap_seconds: 3600 });
  const fresh = rotated.value ?? "";
  expect([await send(vapi.secret), await send(fresh), await send("wrong-one")]).toEqual([200, 200, 401]);

  const third = await customer.ask("POST", secrets, { slot: "secret", value: randomToken("secret") });
  expect(third.status).toBe(409);
  const { data } = await customer.get(secrets);
  const old = data.find(({ id }: { id: string }) => id !== rotated.id);
  await customer.ask("DELETE", `${secrets}/${old.id}`);
  expect([await send(vapi.secret), await send(fresh)]).toEqual([401, 200]);
});

test("rotation without overlap ends the old secret at once", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const value = randomToken("secret");
  await customer.post(`/v1/sources/${vapi.source.id}/secrets/rotate`, { slot: "secret", value, overlap_seconds: 0 });
  expect((await vapi.given(ringing(newUuid()))).status).toBe(401);
  expect((await app.post(given, signVapi(value, ringing(newUuid())))).status).toBe(200);
});

test("a source without a secret refuses everything, unless it says auth: none in so many words", async () => {
  const customer = await makeCustomer(app);
  const closed = await customer.connect("wonderful", { secrets: [], on_given_routes: false });
  const open = await customer.connect("wonderful", { secrets: [], on_given_routes: false, auth: "none" });
  const sent = {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ communication_id: "comm_1", session_id: newUuid() }),
  };
  expect((await app.post(`/webhooks/${closed.source.slug}`, sent)).status).toBe(401);
  expect((await app.post(`/webhooks/${open.source.slug}`, sent)).status).toBe(200);
  expect(await customer.events()).toMatchObject([{ source_id: open.source.id, verification: "none" }]);
});

test("auth: none with a secret: unsigned requests are taken, a wrong credential is refused all the same", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi", { on_given_routes: false, auth: "none" });
  const own = `/webhooks/${vapi.source.slug}`;
  const unsigned = { headers: { "content-type": "application/json" }, body: ringing(newUuid()) };
  expect((await app.post(own, unsigned)).status).toBe(200);
  expect((await app.post(own, signVapi(vapi.secret, ringing(newUuid())))).status).toBe(200);
  expect((await app.post(own, signVapi("wrong", ringing(newUuid())))).status).toBe(401);
});

test("the default sources are there from the first start on, with the environment's secrets and settings", async () => {
  const { json } = await app.ask(known.apiKey, "GET", "/v1/sources?limit=100");
  const sources = new Map<string, { is_ready: boolean; setup: { api?: { base_url: string } } }>(
    json.data.map((source: { slug: string }) => [source.slug, source]),
  );
  expect([...sources.keys()].toSorted()).toEqual(
    ["elevenlabs", "generic", "livekit", "twilio", "vapi", "wonderful"].toSorted(),
  );
  for (const name of ["elevenlabs", "livekit", "twilio", "vapi", "wonderful"]) {
    expect([name, sources.get(name)?.is_ready]).toEqual([name, true]);
  }
  expect(sources.get("wonderful")?.setup.api?.base_url).toBe("https://tenant.api.wonderful.example");
  const id = newUuid();
  expect((await app.post(given, signVapi("default-vapi-secret", ringing(id)))).said).toEqual([200, "OK"]);
});

async function connectGeneric(customer: Customer, setup: Record<string, unknown> = {}) {
  const value = randomToken("secret");
  const slug = randomToken("pbx");
  await customer.post("/v1/sources", { slug, provider: "generic", setup, secrets: [{ slot: "secret", value }] });
  const send = (body: string, headers: Record<string, string> = { "x-webhook-secret": value }) =>
    app.post(`/webhooks/${slug}`, { headers: { "content-type": "application/json", ...headers }, body });
  return { value, send };
}

test("generic: any JSON becomes a call by configuration alone", async () => {
  const customer = await makeCustomer(app);
  const { send } = await connectGeneric(customer, {
    fields: {
      id: ["Vorgang.Nummer"],
      status: ["Vorgang.Lage"],
      direction: ["/Vorgang/Richtung"],
      to: ["Kunde.0.Telefon"],
      customer_name: ["Kunde.0.Name"],
      duration: ["Minuten"],
    },
    status_words: { "nicht erreicht": "no_answer" },
    direction_words: { ausgehend: "outbound" },
    duration_unit: "min",
    id_prefix: "crm:",
  });
  const body = JSON.stringify({
    Vorgang: { Nummer: 4711, Lage: "nicht erreicht", Richtung: "ausgehend" },
    Kunde: [{ Telefon: "+972501234567", Name: "דנה לוי" }],
    Minuten: 0.5,
  });
  const answer = await send(body);
  const [call] = await customer.calls();
  expect(answer.said).toEqual([200, `{"received":true,"call_id":"${call?.id}"}`]);
  expect(call).toMatchObject({
    provider: "generic",
    provider_call_id: "crm:4711",
    status: "ended",
    outcome: "no_answer",
    direction: "outbound",
    to: "+972501234567",
    customer_name: "דנה לוי",
    duration_ms: 30_000,
  });
  expect((await send(body)).status).toBe(200);
  expect(await customer.events()).toMatchObject([{ seen_count: 2 }]);
});

test("generic: its call joins what Twilio tells of it; 401 and 400 are plain", async () => {
  const customer = await makeCustomer(app);
  const { send } = await connectGeneric(customer);
  const twilio = await customer.connect("twilio");
  const callSid = newCallSid();
  await send(JSON.stringify({ call_id: "a1", call_sid: callSid, status: "completed", city: "בית שאן" }));
  await twilio.given(
    fixture("twilio", "real/status.3-completed.txt", {
      CA9dd13ec4fcb895203d2162ca7e0297fc: callSid,
      AC00000000000000000000000000000000: twilio.keyId,
    }),
  );
  expect(await customer.calls()).toMatchObject([{ city: "בית שאן", duration_ms: 26_000, outcome: "completed" }]);
  expect((await send("{}", { "x-webhook-secret": "wrong" })).said).toEqual([401, '{"error":"Unauthorized"}']);
  expect((await send("{")).status).toBe(400);
});

test("generic: an HMAC with a timestamp, and Standard Webhooks", async () => {
  const customer = await makeCustomer(app);
  const hmac = await connectGeneric(customer, {
    verification: {
      kind: "hmac",
      header: "x-sign",
      signature_field: "v1",
      timestamp_field: "t",
      signed: "{timestamp}.{body}",
    },
  });
  const body = JSON.stringify({ call_id: "h1", status: "busy" });
  const headerAt = (t: number) => {
    const v1 = createHmac("sha256", hmac.value).update(`${t}.${body}`).digest("hex");
    return { "x-sign": `t=${t},v1=${v1}` };
  };
  const now = Math.floor(Date.now() / 1000);
  expect((await hmac.send(body, headerAt(now))).status).toBe(200);
  expect((await hmac.send(body, headerAt(now - 3600))).status).toBe(401);

  const slug = randomToken("pbx");
  const secret = `whsec_${Buffer.from(randomToken("key-of-standard-webhooks")).toString("base64")}`;
  await customer.post("/v1/sources", {
    slug,
    provider: "generic",
    setup: { verification: { kind: "standard_webhooks" } },
    secrets: [{ slot: "secret", value: secret }],
  });
  const at = new Date();
  const signature = new Webhook(secret).sign("msg_1", at, body);
  const headers = {
    "content-type": "application/json",
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": signature,
  };
  expect((await app.post(`/webhooks/${slug}`, { headers, body })).status).toBe(200);
  expect(await customer.calls()).toMatchObject([{ outcome: "busy" }]);
});
