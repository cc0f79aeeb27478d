import { endpointLimits, RotateEndpointSecret, UpdateEndpoint } from "@aftercall/contract/endpoint.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { expect, test } from "vitest";

import type { AppError } from "#/kernel/errors.ts";

import type { Receiver } from "../../../test/harness/receiver.ts";
import { pem } from "../../../test/harness/tls-receiver.ts";
import { newSecret } from "../sign.ts";
import { deliverInEachTest, type Delivering } from "../test-setup.ts";

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

const url = "https://hooks.example.com/a";
const patch = (id: string, body: unknown) =>
  delivering.handlers.updateEndpoint({ ...delivering.request, params: { id }, body: UpdateEndpoint.parse(body) });
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => "accepted" as const,
    ({ status, errors }: AppError) => ({ status, pointers: errors.map(({ pointer }) => pointer) }),
  );
/** Sends one message to every endpoint of the test and gives what came. */
async function deliver(body = '{"type":"call.completed","data":{"city":"חיפה"}}') {
  const { write, fact, worker } = delivering;
  await write([fact({ render: () => Buffer.from(body) })]);
  await worker.runOnce();
  const last = receiver.received.at(-1);
  return { headers: last?.headers as Record<string, string>, body: last?.body.toString("utf8") ?? "" };
}

test("201: every setting comes back as it was given, secrets masked", async () => {
  const campaign = toPublicId("campaign", delivering.tenant);
  const given = {
    uid: "crm",
    description: "CRM",
    metadata: { team: "blue" },
    types: ["call.*"],
    direction: "inbound",
    campaign_ids: [campaign],
    channels: ["sales"],
    filter: { "data.call.duration_ms": { $gte: 60_000 } },
    format: "cloudevents",
    cloudevents_mode: "binary",
    payload: "thin",
    fallback_url: "https://hooks.example.com/b",
    schedule_ms: [],
    type_schedules_ms: { "call.completed": [1_000] },
    timeout_ms: 5_000,
    in_flight_max: 3,
    rate: { limit: 10, per_seconds: 60, burst: 2 },
    order: { mode: "strict", strict_delay_max_ms: 60_000 },
    no_retry_statuses: ["400-403", "422"],
    is_breaker_on: false,
    is_auto_disabled_on: false,
    resend_on_late: true,
    is_paused: true,
  };
  const created = await delivering.endpoint({
    url,
    ...given,
    signature: { profile: "stripe", secret: "secret-of-another-system" },
    headers: { "X-Team": "blue", "X-Api-Key": "k-1", "X-Plain": { value: "p-1", is_sensitive: true } },
    auth: { type: "basic", username: "me", password: "pass-1" },
  });
  expect(created).toMatchObject({
    ...given,
    signature: {
      profile: "stripe",
      header: "Stripe-Signature",
      with_standard: true,
      has_secret: true,
      has_replay_protection: true,
    },
    headers: { "X-Team": "blue", "X-Api-Key": "********", "X-Plain": "********" },
    auth: { type: "basic", username: "me" },
    routing: "Gets messages about inbound calls, web calls and calls of unknown direction. Never about outbound calls.",
    paused_at: expect.stringMatching(/Z$/) as string,
  });
  const { secret, uuid: _, ...shown } = created;
  const read = await delivering.handlers.getEndpoint({ ...delivering.request, params: { id: created.uuid } });
  expect(read).toEqual(shown);
  for (const hidden of ["secret-of-another-system", "k-1", "p-1", "pass-1", secret]) {
    expect(JSON.stringify(read)).not.toContain(hidden);
  }
});

test("PATCH: absent stays, null goes back to the default, for every setting", async () => {
  const { uuid } = await delivering.endpoint({
    url,
    uid: "a",
    metadata: { a: "1" },
    channels: ["x"],
    filter: { type: "x" },
    format: "flat",
    payload: "thin",
    signature: { profile: "github", secret: "12345678" },
    headers: { "X-A": "1" },
    auth: { type: "bearer", token: "t" },
    rate: { limit: 1 },
    order: { mode: "skip" },
    no_retry_statuses: ["404"],
    is_breaker_on: false,
  });
  const before = await patch(uuid, { description: "x" });
  expect(before).toMatchObject({
    uid: "a",
    channels: ["x"],
    payload: "thin",
    auth: { type: "bearer" },
    rate: { limit: 1 },
  });
  const names = Object.keys(UpdateEndpoint.shape).filter(
    (name) => !["url", "kind", "is_enabled", "is_paused"].includes(name),
  );
  const cleared = await patch(uuid, Object.fromEntries(names.map((name) => [name, null])));
  const fresh = await delivering.endpoint({ url });
  const { id: _id, created_at: _c, updated_at: _u, ...settings } = cleared;
  expect(fresh).toMatchObject(settings);
});

test("PATCH: a changed profile keeps its secret until that is changed or cleared", async () => {
  const { uuid } = await delivering.endpoint({ url, signature: { profile: "github", secret: "12345678" } });
  expect(await patch(uuid, { signature: { profile: "outpost" } })).toMatchObject({ signature: { has_secret: true } });
  expect(await patch(uuid, { signature: { profile: "outpost", secret: null } })).toMatchObject({
    signature: { has_secret: false },
  });
});

test("PATCH: headers are merged, null takes one away, and the sum is bounded", async () => {
  const { uuid } = await delivering.endpoint({ url: receiver.url, headers: { "X-A": "1", "X-B": "2" } });
  expect(await patch(uuid, { headers: { "X-B": null, "x-a": "3", "X-C": "4" } })).toMatchObject({
    headers: { "x-a": "3", "X-C": "4" },
  });
  const tooLong = { headers: { "X-D": "d".repeat(4086) } };
  expect(await refusal(patch(uuid, tooLong))).toEqual({ status: 422, pointers: ["/headers"] });
});

test("409: a uid names one endpoint of a tenant, and is free again when that is deleted", async () => {
  const { handlers, request, otherTenant } = delivering;
  const { uuid } = await delivering.endpoint({ url, uid: "crm" });
  const second = await delivering.endpoint({ url });
  expect(await refusal(delivering.endpoint({ url, uid: "crm" }))).toMatchObject({ status: 409 });
  expect(await refusal(patch(second.uuid, { uid: "crm" }))).toMatchObject({ status: 409 });
  await delivering.endpoint({ url, uid: "crm" }, await otherTenant());
  await handlers.deleteEndpoint({ ...request, params: { id: uuid } });
  expect(await patch(second.uuid, { uid: "crm" })).toMatchObject({ uid: "crm" });
});

test("409: the limit of endpoints holds for twenty that are made at once", async () => {
  const { db, tenant } = delivering;
  await db.inTransaction([tenant], (tx) =>
    tx.run(
      `insert into endpoints (tenant_id, id, url, types, schedule_ms, disabled_at)
       select $1, gen_random_uuid(), 'https://example.com/', '{*}', '{}', now() from generate_series(1, $2::int)`,
      [tenant, endpointLimits.perTenantMax - 5],
    ),
  );
  const made = await Promise.all(Array.from({ length: 20 }, () => refusal(delivering.endpoint({ url }))));
  expect(made.filter((one) => one === "accepted")).toHaveLength(5);
  expect(made.filter((one) => one !== "accepted" && one.status === 409)).toHaveLength(15);
});

test("custom headers arrive as they are written, and none takes the place of ours", async () => {
  await delivering.endpoint({
    url: receiver.url,
    headers: { "X-Team-NAME": "blue", "X-Hub-Signature-256": "forged" },
    signature: { profile: "github", secret: "12345678" },
  });
  await deliver();
  const { headers } = receiver.received[0] ?? {};
  expect(headers?.["x-team-name"]).toBe("blue");
  expect(headers?.["x-hub-signature-256"]).toMatch(/^sha256=[0-9a-f]{64}$/);
});

test("credentials arrive in their headers", async () => {
  await delivering.endpoint({ url: receiver.url, auth: { type: "basic", username: "me", password: "p:w" } });
  expect((await deliver()).headers["authorization"]).toBe(`Basic ${Buffer.from("me:p:w").toString("base64")}`);
});

test.each([
  [{ type: "bearer", token: "t-1" }, "authorization", "Bearer t-1"],
  [{ type: "api_key", header: "X-Api-Key", value: "k-1" }, "x-api-key", "k-1"],
])("credentials of the type %j arrive", async (auth, name, value) => {
  await delivering.endpoint({ url: receiver.url, auth });
  expect((await deliver()).headers[name]).toBe(value);
});

test("what is secret in an endpoint is sealed at rest, and gone with it", async () => {
  const { handlers, request, db, tenant } = delivering;
  const { uuid } = await delivering.endpoint({
    url,
    headers: { "X-Key": "k-secret" },
    auth: { type: "bearer", token: "t-secret" },
    signature: { profile: "github", secret: "s-secret" },
  });
  const read = () =>
    db.inTransaction([tenant], (tx) =>
      tx.rows<Record<string, unknown>>("select * from endpoints e where e.id = $1", [uuid]),
    );
  const [row = {}] = await read();
  const all = Buffer.concat(Object.values(row).map((one) => (Buffer.isBuffer(one) ? one : Buffer.from(String(one)))));
  for (const secret of ["k-secret", "t-secret", "s-secret"]) expect(all.includes(secret)).toBe(false);
  await handlers.deleteEndpoint({ ...request, params: { id: uuid } });
  expect(await read()).toMatchObject([{ sealed_headers: null, sealed_auth: null, sealed_signature_secret: null }]);
});

test("the body goes out in the endpoint's format with the content type of that format", async () => {
  await delivering.endpoint({ url: receiver.url, format: "cloudevents" });
  const { write, fact, worker } = delivering;
  await write([fact({ render: (form) => Buffer.from(`{"form":"${form}"}`) })]);
  await worker.runOnce();
  expect(receiver.received[0]?.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
  expect(receiver.received[0]?.body.toString()).toBe('{"form":"cloudevents"}');
});

test("a CloudEvent in binary mode has its attributes as headers, and the signature is over the body that is sent", async () => {
  const { secret, uuid } = await delivering.endpoint({
    url: receiver.url,
    format: "cloudevents",
    cloudevents_mode: "binary",
  });
  const event = {
    specversion: "1.0",
    id: "msg_1",
    source: "/tenants/t",
    type: "call.completed",
    data: { city: "חיפה" },
  };
  const { headers, body } = await deliver(JSON.stringify(event));
  expect(headers).toMatchObject({
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "msg_1",
    "ce-source": "/tenants/t",
    "ce-type": "call.completed",
  });
  expect(new Webhook(secret).verify(body, headers)).toEqual({ city: "חיפה" });
  await patch(uuid, { cloudevents_mode: null });
  expect(JSON.parse((await deliver(JSON.stringify(event))).body)).toEqual(event);
});

test("what was written in one format keeps its bytes and content type when the endpoint changes to another", async () => {
  const { uuid } = await delivering.endpoint({ url: receiver.url, payload: "thin" });
  const { write, fact, worker } = delivering;
  await write([fact({ render: (form) => Buffer.from(`{"form":"${form}"}`) })]);
  await patch(uuid, { format: "cloudevents" });
  await worker.runOnce();
  expect(receiver.received[0]?.headers["content-type"]).toBe("application/json");
  expect(receiver.received[0]?.body.toString()).toBe('{"form":"standard.thin"}');
});

test("a filter keeps messages away, which are listed with the reason", async () => {
  const { handlers, request } = delivering;
  await delivering.endpoint({ url: receiver.url, filter: { "data.city": { $in: ["חיפה"] } } });
  await deliver();
  await deliver('{"data":{"city":"תל אביב"}}');
  expect(receiver.received).toHaveLength(1);
  const { data } = await handlers.listMessages({ ...request, query: { limit: 25, unrouted: "true" } });
  expect(data).toMatchObject([{ unrouted_reason: "filtered" }]);
});

test("an HMAC and an Ed25519 key sign side by side after a rotation from one to the other", async () => {
  const { handlers, request } = delivering;
  const { uuid, secret } = await delivering.endpoint({ url: receiver.url });
  const body = RotateEndpointSecret.parse({ signing: "ed25519" });
  const { secrets } = await handlers.rotateEndpointSecret({ ...request, params: { id: uuid }, body });
  expect(secrets[0]).toMatchObject({
    secret: expect.stringMatching(/^whsk_/) as string,
    public_key: expect.stringMatching(/^whpk_/) as string,
  });
  const sent = await deliver();
  expect(sent.headers["webhook-signature"]).toMatch(/^v1a,\S+ v1,\S+$/);
  expect(new Webhook(secret).verify(sent.body, sent.headers)).toBeTruthy();
  expect(new SvixWebhook(secret).verify(sent.body, sent.headers)).toBeTruthy();
  const keys = await handlers.listEndpointPublicKeys({ ...request, params: { id: uuid } });
  expect(keys.public_keys).toMatchObject([{ public_key: secrets[0]?.public_key, expires_at: null }]);
  expect(JSON.stringify(keys)).not.toContain("whsk_");
});

test("403: a member may rotate but neither choose the key nor read the old one", async () => {
  const { handlers, request } = delivering;
  const { uuid, secret: old } = await delivering.endpoint({ url });
  const member = { ...request, actor: { kind: "user", id: "usr_1", role: "member" } as const, params: { id: uuid } };
  const chosen = newSecret((size) => Buffer.alloc(size, 3));
  const rotate = (body: unknown) =>
    handlers.rotateEndpointSecret({ ...member, body: RotateEndpointSecret.parse(body) });
  expect(await refusal(rotate({ secret: chosen }))).toMatchObject({ status: 403 });
  const { secrets } = await rotate({});
  expect(secrets).toHaveLength(1);
  expect(secrets[0]?.secret).not.toBe(old);
});

test("an admin may bring a key along, and the audit log says so", async () => {
  const { handlers, request, db, tenant } = delivering;
  const { uuid } = await delivering.endpoint({ url });
  const secret = newSecret((size) => Buffer.alloc(size, 4), "ed25519");
  const body = RotateEndpointSecret.parse({ secret, grace_seconds: 0 });
  const { secrets } = await handlers.rotateEndpointSecret({ ...request, params: { id: uuid }, body });
  expect(secrets.map((one) => one.secret)).toEqual([secret]);
  const deeds = await db.inTransaction([tenant], (tx) =>
    tx.rows("select detail from audit_log where action = 'endpoint.secret_rotated'"),
  );
  expect(deeds).toMatchObject([{ detail: { imported: true, grace_seconds: 0 } }]);
});

test.each([-1, 604_801, 0.5])("422: a grace of %d seconds is refused", (grace) => {
  expect(RotateEndpointSecret.safeParse({ grace_seconds: grace }).success).toBe(false);
});

test("422: an Ed25519 key whose halves do not belong together is refused", async () => {
  const secret = `whsk_${Buffer.alloc(64, 1).toString("base64")}`;
  expect(await refusal(delivering.endpoint({ url, secret }))).toEqual({ status: 422, pointers: ["/secret"] });
});

test("422: a client certificate that cannot be used names what is wrong", async () => {
  const mtls = (certificate: string, private_key: string, ca: string | null = null) =>
    refusal(delivering.endpoint({ url, auth: { type: "mtls", certificate, private_key, ca } }));
  const [certificate, key] = [pem("client.pem"), pem("client.key")];
  expect(await mtls("x", key)).toEqual({ status: 422, pointers: ["/auth/certificate"] });
  expect(await mtls(certificate, "x")).toEqual({ status: 422, pointers: ["/auth/private_key"] });
  expect(await mtls(certificate, pem("stranger.key"))).toEqual({ status: 422, pointers: ["/auth/private_key"] });
  expect(await mtls(certificate, key, "x")).toEqual({ status: 422, pointers: ["/auth/ca"] });
  expect(await mtls(certificate, key, pem("ca.pem"))).toBe("accepted");
});

test("422: a client certificate needs an https URL, whichever of the two is changed", async () => {
  const auth = { type: "mtls", certificate: pem("client.pem"), private_key: pem("client.key") };
  const plain = "http://hooks.example.com/";
  const expected = { status: 422, pointers: ["/auth/type"] };
  expect(await refusal(delivering.endpoint({ url: plain, auth }))).toEqual(expected);
  const { uuid } = await delivering.endpoint({ url, auth });
  expect(await refusal(patch(uuid, { url: plain }))).toEqual(expected);
  expect(await refusal(patch(uuid, { url: plain, auth: null }))).toBe("accepted");
});

test("422: a token URL is judged like the endpoint's own", async () => {
  const auth = { type: "oauth2", token_url: "ftp://example.com/", client_id: "a", client_secret: "b" };
  expect(await refusal(delivering.endpoint({ url, auth }))).toEqual({ status: 422, pointers: ["/auth/token_url"] });
});

test("the three URLs of the direction rule show it in words", async () => {
  const rules = await Promise.all(
    (["inbound", "outbound", "generic"] as const).map(
      async (direction) => (await delivering.endpoint({ url, direction })).routing,
    ),
  );
  expect(rules).toEqual([
    "Gets messages about inbound calls, web calls and calls of unknown direction. Never about outbound calls.",
    "Gets messages about outbound calls, and nothing else.",
    "Gets messages about inbound calls only while no inbound endpoint wants them, and messages that are not about a call. Never about outbound calls.",
  ]);
});
