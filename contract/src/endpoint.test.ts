import { expect, test } from "vitest";

import { CreateEndpoint, UpdateEndpoint } from "./endpoint.ts";
import { mergeHeaders } from "./endpoint/headers.ts";

const url = "https://hooks.example.com/a";
/** Which fields a body is refused for, as JSON pointers. */
const refused = (schema: typeof CreateEndpoint | typeof UpdateEndpoint, body: unknown) =>
  schema.safeParse(body).error?.issues.map(({ path }) => `/${path.join("/")}`) ?? [];

test("201: event types may be called events", () => {
  expect(CreateEndpoint.parse({ url, events: ["call.completed"] }).types).toEqual(["call.completed"]);
});

test.each([
  [{ url, types: [] }, "/types"],
  [{ url, types: ["call.exploded"] }, "/types/0"],
  [{ url, types: ["*"], events: ["*"] }, "/events"],
  [{ url: 5 }, "/url"],
  [{ url: `https://example.com/${"a".repeat(9000)}` }, "/url"],
  [{}, "/url"],
  [{ url, schedule_ms: [-1] }, "/schedule_ms/0"],
  [{ url, schedule_ms: Array.from({ length: 1000 }, () => 1000) }, "/schedule_ms"],
  [{ url, schedule_ms: [604_800_000, 604_800_000, 604_800_000] }, "/schedule_ms"],
  [{ url, timeout_ms: 100 }, "/timeout_ms"],
  [{ url, in_flight_max: 0 }, "/in_flight_max"],
  [{ url, direction: "sideways" }, "/direction"],
  [{ url, secret: "whsec_c2hvcnQ=" }, "/secret"],
  [{ url, secret: `whsec_${Buffer.alloc(23).toString("base64")}` }, "/secret"],
  [{ url, secret: `whsec_${Buffer.alloc(65).toString("base64")}` }, "/secret"],
  [{ url, secret: Buffer.alloc(32).toString("base64") }, "/secret"],
  [{ url, secret: `whsec_${"*".repeat(32)}` }, "/secret"],
  [{ url, secret: `whsec_${Buffer.alloc(76).toString("base64")}` }, "/secret"],
  [{ url, secret: `whsk_${Buffer.alloc(33).toString("base64")}` }, "/secret"],
  [{ url, uid: "with space" }, "/uid"],
  [{ url, metadata: { a: 1 } }, "/metadata/a"],
  [{ url, campaign_ids: [] }, "/campaign_ids"],
  [{ url, campaign_ids: ["call_1"] }, "/campaign_ids/0"],
  [{ url, channels: [] }, "/channels"],
  [{ url, channels: ["a b"] }, "/channels/0"],
  [{ url, filter: {} }, "/filter"],
  [{ url, filter: { "data.call": { $near: 5 } } }, "/filter/data.call/$near"],
  [{ url, format: "xml" }, "/format"],
  [{ url, payload: "slim" }, "/payload"],
  [{ url, signature: { profile: "rot13" } }, "/signature/profile"],
  [{ url, signature: { profile: "custom" } }, "/signature/header"],
  [{ url, signature: { profile: "custom", header: "webhook-signature" } }, "/signature/header"],
  [{ url, signature: { profile: "stripe", secret: "short" } }, "/signature/secret"],
  [{ url, headers: { "bad name": "x" } }, "/headers/bad name"],
  [{ url, headers: { "X-A": "line\nbreak" } }, "/headers/X-A"],
  [{ url, headers: { "X-A": " x" } }, "/headers/X-A"],
  [{ url, headers: { "X-A": "שלום" } }, "/headers/X-A"],
  [{ url, headers: { "X-A": "1", "x-a": "2" } }, "/headers/x-a"],
  [{ url, headers: { Authorization: "Bearer x" } }, "/headers/Authorization"],
  [{ url, headers: { "X-Key": "********" } }, "/headers/X-Key"],
  [{ url, auth: { type: "basic", username: "a:b", password: "x" } }, "/auth/username"],
  [{ url, auth: { type: "bearer", token: "two words" } }, "/auth/token"],
  [{ url, auth: { type: "api_key", header: "Host", value: "x" } }, "/auth/header"],
  [{ url, auth: { type: "kerberos" } }, "/auth/type"],
  [{ url, rate: { limit: 0 } }, "/rate/limit"],
  [{ url, rate: { limit: 1, per_seconds: 0 } }, "/rate/per_seconds"],
  [{ url, order: { mode: "loose" } }, "/order/mode"],
  [{ url, order: { mode: "strict", strict_delay_max_ms: 1 } }, "/order/strict_delay_max_ms"],
  [{ url, no_retry_statuses: ["2xx"] }, "/no_retry_statuses/0"],
  [{ url, no_retry_statuses: ["410-400"] }, "/no_retry_statuses/0"],
  [{ url, kind: "secret" }, "/kind"],
])("422: %j is refused by its field", (body, pointer) => {
  expect(refused(CreateEndpoint, body)).toEqual([pointer]);
});

test.each([
  "Host",
  "Content-Length",
  "transfer-encoding",
  "Connection",
  "TE",
  "Upgrade",
  "Expect",
  "Content-Type",
  "User-Agent",
  "Webhook-Id",
  "svix-id",
  "Proxy-Authorization",
  "X-Forwarded-For",
  "Forwarded",
  "Via",
  "aftercall-attempt",
])("422: the header %s belongs to the client, the signature or a proxy", (name) => {
  expect(refused(CreateEndpoint, { url, headers: { [name]: "x" } })).toEqual([`/headers/${name}`]);
});

test("422: the kind of an endpoint cannot be changed", () => {
  expect(refused(UpdateEndpoint, { kind: "operational" })).toEqual(["/kind"]);
});

test("a rate without a burst may use up its limit at once, and is per second", () => {
  expect(CreateEndpoint.parse({ url, rate: { limit: 5 } }).rate).toEqual({ limit: 5, per_seconds: 1, burst: 5 });
});

test("headers are merged without regard to case, and null takes one away", () => {
  const before = [
    { name: "X-Team", value: "blue", is_sensitive: false },
    { name: "X-Old", value: "1", is_sensitive: false },
  ];
  const { headers, problem } = mergeHeaders(before, { "x-team": "red", "X-OLD": null, "X-Api-Key": "k" });
  expect(problem).toBeNull();
  expect(headers).toEqual([
    { name: "x-team", value: "red", is_sensitive: false },
    { name: "X-Api-Key", value: "k", is_sensitive: true },
  ]);
});

test("422: more than 4096 bytes of headers are too much, also when they come bit by bit", () => {
  const { headers } = mergeHeaders([], { "X-A": "a".repeat(4000) });
  expect(mergeHeaders(headers, { "X-B": "b".repeat(90) }).problem).toBeNull();
  expect(mergeHeaders(headers, { "X-B": "b".repeat(91) }).problem).toBe(
    "Names and values together may have 4096 bytes",
  );
});

test.each([{ id: "ep_1" }, { tenant_id: "x" }, { created_at: "2026-01-01" }, { secret: "x" }])(
  "422: what cannot be changed is refused: %j",
  (body) => {
    expect(refused(UpdateEndpoint, body)).toEqual(["/"]);
  },
);
