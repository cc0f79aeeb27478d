import { afterEach, beforeEach, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createGuardedHttp, type GuardedHttp } from "#/kernel/net/http.ts";

import { createFakeClock } from "../../../test/harness/clock.ts";
import { type Receiver, startReceiver } from "../../../test/harness/receiver.ts";
import { pem, startTlsReceiver } from "../../../test/harness/tls-receiver.ts";
import { deliverInEachTest, type Delivering, startDelivering } from "../test-setup.ts";
import { createTokens } from "./tokens.ts";

let tokenServer: Receiver;
let http: GuardedHttp;
beforeEach(async () => {
  tokenServer = await startReceiver();
  http = createGuardedHttp({ privateTargets: ["127.0.0.0/8"], allowHttp: true, clock: systemClock });
});
afterEach(async () => {
  await http.close();
  await tokenServer.close();
});

/** Answers with token-1, token-2, … */
function giveTokens(more: Record<string, unknown> = { expires_in: 3600 }) {
  tokenServer.answer((_request, count) => ({
    status: 200,
    body: JSON.stringify({ access_token: `token-${count}`, token_type: "Bearer", ...more }),
  }));
}
const credentials = (changes: object = {}) =>
  ({
    type: "oauth2",
    token_url: tokenServer.url,
    client_id: "id:1",
    client_secret: "s c&t",
    scope: null,
    audience: null,
    client_auth: "header",
    ...changes,
  }) as const;
const options = { timeoutMs: 5_000, signal: new AbortController().signal };
const formOf = (body: Buffer | undefined) => Object.fromEntries(new URLSearchParams(body?.toString()));

test("a token is fetched once, however many ask at the same time and later", async () => {
  giveTokens();
  const tokens = createTokens({ http, clock: createFakeClock() });
  const asked = await Promise.all(Array.from({ length: 20 }, () => tokens.get("ep", credentials(), options)));
  expect(new Set(asked)).toEqual(new Set(["token-1"]));
  expect(await tokens.get("ep", credentials(), options)).toBe("token-1");
  expect(tokenServer.received).toHaveLength(1);
});

test("the request is the one of RFC 6749, with id and secret in the header or in the form", async () => {
  giveTokens();
  const tokens = createTokens({ http, clock: createFakeClock() });
  await tokens.get("a", credentials({ scope: "calls:write", audience: "https://api.example" }), options);
  await tokens.get("b", credentials({ client_auth: "body" }), options);
  const [first, second] = tokenServer.received;
  expect(first?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
  expect(first?.headers["authorization"]).toBe(`Basic ${Buffer.from("id%3A1:s+c%26t").toString("base64")}`);
  expect(formOf(first?.body)).toEqual({
    grant_type: "client_credentials",
    scope: "calls:write",
    audience: "https://api.example",
  });
  expect(second?.headers["authorization"]).toBeUndefined();
  expect(formOf(second?.body)).toEqual({
    grant_type: "client_credentials",
    client_id: "id:1",
    client_secret: "s c&t",
  });
});

test("a token is fetched again half a minute before it ends", async () => {
  giveTokens({ expires_in: "120" });
  const clock = createFakeClock();
  const tokens = createTokens({ http, clock });
  expect(await tokens.get("ep", credentials(), options)).toBe("token-1");
  await clock.advance(89_000);
  expect(await tokens.get("ep", credentials(), options)).toBe("token-1");
  await clock.advance(1_000);
  expect(await tokens.get("ep", credentials(), options)).toBe("token-2");
});

test.each([
  ["without an end", {}, 269_000],
  ["with an end that is no number", { expires_in: "soon" }, 269_000],
  ["that never seems to end", { expires_in: 1e12 }, 3_599_000],
])("a token %s is kept for a while and not for ever", async (_name, answer, keptMs) => {
  giveTokens(answer);
  const clock = createFakeClock();
  const tokens = createTokens({ http, clock });
  await tokens.get("ep", credentials(), options);
  await clock.advance(keptMs);
  expect(await tokens.get("ep", credentials(), options)).toBe("token-1");
  await clock.advance(1_000);
  expect(await tokens.get("ep", credentials(), options)).toBe("token-2");
});

test("changed credentials never get the token of the old ones", async () => {
  giveTokens();
  const tokens = createTokens({ http, clock: createFakeClock() });
  await tokens.get("ep", credentials(), options);
  expect(await tokens.get("ep", credentials({ client_id: "id:2" }), options)).toBe("token-2");
});

test.each<[string, Parameters<Receiver["answer"]>[0]]>([
  ["an error", { status: 401, body: '{"error":"invalid_client"}' }],
  ["a redirect", { status: 302, headers: { location: "http://127.0.0.1:9/" } }],
  ["no JSON", { status: 200, body: "<html>" }],
  ["no token", { status: 200, body: "{}" }],
  ["a token that would break the header", { status: 200, body: '{"access_token":"a\\r\\nx: y"}' }],
  ["another kind of token", { status: 200, body: '{"access_token":"a","token_type":"mac"}' }],
  ["a broken connection", "reset"],
])("%s instead of a token is a failure, and the next one asks again", async (_name, reply) => {
  tokenServer.answer(reply);
  const tokens = createTokens({ http, clock: createFakeClock() });
  await expect(tokens.get("ep", credentials(), options)).rejects.toMatchObject({ name: "AuthFailure" });
  giveTokens();
  expect(await tokens.get("ep", credentials(), options)).toBe("token-2");
});

let delivering: Delivering;
let receiver: Receiver;
deliverInEachTest((made) => {
  ({ delivering, receiver } = made);
});

test("a message arrives with the token, and after a 401 with a new one", async () => {
  giveTokens();
  receiver.answer((_request, count) => ({ status: count === 2 ? 401 : 200 }));
  await delivering.endpoint({ url: receiver.url, auth: credentials(), schedule_ms: [1_000] });
  await delivering.write([delivering.fact()]);
  await delivering.worker.runOnce();
  await delivering.write([delivering.fact()]);
  await delivering.worker.runOnce();
  await delivering.makeDue();
  await delivering.worker.runOnce();
  expect(receiver.received.map(({ headers }) => headers["authorization"])).toEqual([
    "Bearer token-1",
    "Bearer token-1",
    "Bearer token-2",
  ]);
});

test("without a token nothing is sent: the attempt fails as auth and is retried by the schedule", async () => {
  tokenServer.answer({ status: 500 });
  await delivering.endpoint({ url: receiver.url, auth: credentials(), schedule_ms: [60_000] });
  await delivering.write([delivering.fact()]);
  await delivering.worker.runOnce();
  expect(receiver.received).toHaveLength(0);
  expect(await delivering.attempts()).toMatchObject([{ class: "auth", status: 0 }]);
  expect(await delivering.deliveries()).toMatchObject([{ state: "due", attempt_count: 1 }]);
});

test("the token URL stands behind the same guard, and its refusal looks like any other to the tenant", async () => {
  const guarded = await startDelivering(delivering.db, { privateTargets: [] });
  const said = async (tokenUrl: string, of: Delivering) => {
    await of.endpoint({ url: receiver.url, auth: credentials({ token_url: tokenUrl }) });
    await of.write([of.fact()]);
    await of.worker.runOnce();
    const [row] = await of.deliveries();
    const shown = await of.handlers.getDelivery({ ...of.request, params: { id: row?.id ?? "" } });
    return shown.attempts.map(({ class: kind, error, status }) => ({ kind, error, status }));
  };
  const blocked = await said(tokenServer.url, guarded);
  expect(tokenServer.received).toHaveLength(0);
  const closed = await startReceiver();
  await closed.close();
  expect(await said(closed.url, delivering)).toEqual(blocked);
  expect(blocked).toMatchObject([{ kind: "auth", status: 0 }]);
  await guarded.close();
});

test("a receiver that asks for a client certificate gets the endpoint's, and one with another authority fails as tls", async () => {
  const secure = await startTlsReceiver({ asksForCertificate: true });
  const mtls = { type: "mtls", certificate: pem("client.pem"), private_key: pem("client.key") };
  const { uuid } = await delivering.endpoint({
    url: secure.url,
    auth: { ...mtls, ca: pem("other-ca.pem") },
    schedule_ms: [60_000],
  });
  await delivering.write([delivering.fact()]);
  await delivering.worker.runOnce();
  expect(await delivering.attempts()).toMatchObject([{ class: "tls", status: 0 }]);
  const shown = await delivering.handlers.updateEndpoint({
    ...delivering.request,
    params: { id: uuid },
    body: { auth: { ...mtls, type: "mtls", ca: pem("ca.pem") } },
  });
  expect(shown.auth).toEqual({
    type: "mtls",
    subject: "CN=aftercall client",
    expires_at: expect.stringMatching(/^2126-/) as string,
    has_ca: true,
  });
  await delivering.makeDue();
  await delivering.worker.runOnce();
  expect(secure.seen).toEqual([{ client: "aftercall client", servername: null }]);
  expect(await delivering.deliveries()).toMatchObject([{ state: "delivered" }]);
  await secure.close();
});
