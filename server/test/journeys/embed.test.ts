import type { Route } from "@aftercall/contract/api.ts";
import { routes } from "@aftercall/contract/routes.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { follow, openSocket } from "../live/clients.ts";

let app: TestApp;
let customer: Customer;
let token: string;
/** One call and one campaign of each of two end-customers. */
const theirs = { call: "", providerId: "", campaign: "" };
const others = { call: "", providerId: "", campaign: "" };

beforeAll(async () => {
  app = await startTestApp();
  customer = await makeCustomer(app);
  for (const [made, business] of [
    [theirs, "10"],
    [others, "11"],
  ] as const) {
    made.providerId = newUuid();
    made.campaign = (await customer.post("/v1/campaigns", { name: `Of ${business}`, business_id: business })).id;
    const body = { provider: "vapi", provider_call_id: made.providerId, business_id: business };
    made.call = (await customer.post("/v1/calls", body)).id;
  }
  ({ token } = await customer.post("/v1/embed-tokens", { business_id: "10" }));
});
afterAll(() => app.stop());

const ask = (path: string, method = "GET", body?: unknown) => app.ask(token, method, path, body);
const ids = (list: { data: { id: string }[] }) => list.data.map(({ id }) => id);

test("201: it says for whom it is and when it ends", async () => {
  const { status, json } = await customer.ask("POST", "/v1/embed-tokens", {
    business_id: "10",
    expires_in_seconds: 60,
  });
  expect([status, json.business_id]).toEqual([201, "10"]);
  expect(json.token).toMatch(/^ac_embed_/);
  expect(Math.abs(Date.parse(json.expires_at) - Date.now() - 60_000)).toBeLessThan(5_000);
});

test("200: it reads the calls and campaigns of its end-customer", async () => {
  expect((await ask("/v1/whoami")).json.actor).toMatchObject({ kind: "embed", role: "viewer", business_id: "10" });
  expect(ids((await ask("/v1/calls")).json)).toEqual([theirs.call]);
  expect(ids((await ask("/v1/campaigns")).json)).toEqual([theirs.campaign]);
  expect((await ask(`/v1/calls/${theirs.call}`)).json.business_id).toBe("10");
  expect((await ask(`/v1/campaigns/${theirs.campaign}`)).status).toBe(200);
});

test("404: of others it finds nothing, as if there were nothing", async () => {
  const none = await ask("/v1/calls/call_00000000000000000000000000");
  const shown = ({ request_id: _r, instance: _i, ...problem }: Record<string, unknown>) => problem;
  const foreign = await ask(`/v1/calls/${others.call}`);
  expect([foreign.status, shown(foreign.json)]).toEqual([404, shown(none.json)]);
  for (const path of [`/v1/calls/${others.call}/transcript`, `/v1/campaigns/${others.campaign}`]) {
    expect([path, (await ask(path)).status]).toEqual([path, 404]);
  }
  expect(ids((await ask("/v1/calls?business_id=11")).json)).toEqual([]);
  expect(ids((await ask("/v1/campaigns?business_id=11")).json)).toEqual([]);
});

const closed = Object.entries<Route>(routes).filter(([, route]) => route.isEmbeddable !== true);
test.each(closed)("403: %s is not for it", async (_name, route) => {
  const path = route.path.replaceAll(/:\w+/g, newUuid());
  const { status, json } = await ask(path, route.method, route.body && {});
  expect([status, json.code]).toEqual([403, "forbidden"]);
});

test("live, it is told of the calls of its end-customer and of no others, by whatever name it asks", async () => {
  const stream = await follow(app.url, token, { topics: `calls,call:${others.call},campaign:${others.campaign}` });
  const socket = await openSocket(app.url, token);
  expect(await socket.subscribe(others.call)).toMatchObject({ call_id: null });
  expect(await socket.subscribe(others.providerId)).toMatchObject({ call_id: null });
  await socket.subscribe("*");
  expect(await socket.subscribe(theirs.call)).toMatchObject({ call_id: theirs.call });

  const vapi = await customer.connect("vapi");
  for (const { providerId } of [others, theirs]) {
    const ended = { type: "end-of-call-report", endedReason: "customer-ended-call", call: { id: providerId } };
    expect((await vapi.own({ message: ended })).status).toBe(200);
  }
  const items = await stream.until(({ event, data }) => event === "call" && data.call.id === theirs.call);
  const frames = await socket.until(({ type }) => type === "data");
  const told = frames.filter(({ type }) => type !== "subscribed");
  expect(JSON.stringify([items, told])).not.toContain(others.call);
  const { lastEventId } = stream;
  stream.cut();
  socket.close();

  // The same for what it missed.
  const again = await follow(app.url, token, { lastEventId: items[0]?.id ?? lastEventId() });
  await vapi.own({ message: { type: "status-update", status: "ringing", call: { id: others.providerId } } });
  const added = { provider: "vapi", provider_call_id: newUuid(), business_id: "10" };
  const late = await customer.post("/v1/calls", added);
  const missed = await again.until(({ event, data }) => event === "call" && data.call.id === late.id);
  expect(JSON.stringify(missed)).not.toContain(others.call);
  again.cut();
});

test.each([
  ["altered", (text: string) => `${text.slice(0, -3)}AAA`],
  ["without its beginning", (text: string) => text.replace("ac_embed_", "")],
])("401: one that was %s", async (_name, change) => {
  expect((await app.ask(change(token), "GET", "/v1/calls")).status).toBe(401);
});

test("401: it ends with the key that made it", async () => {
  const maker = await customer.post("/v1/api-keys", { name: "pages", role: "member" });
  const made = await app.ask(maker.key, "POST", "/v1/embed-tokens", { business_id: "10" });
  await customer.ask("DELETE", `/v1/api-keys/${maker.id}`);
  expect((await app.ask(made.json.token, "GET", "/v1/calls")).status).toBe(401);
});

test("422: it lives for a day at most", async () => {
  const body = { business_id: "10", expires_in_seconds: 86_401 };
  expect((await customer.ask("POST", "/v1/embed-tokens", body)).status).toBe(422);
});
