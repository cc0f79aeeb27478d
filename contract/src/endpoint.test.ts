import { expect, test } from "vitest";

import { CreateEndpoint, UpdateEndpoint } from "./endpoint.ts";

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
  [{ url, types: ["endpoint.*"] }, "/types/0"],
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
])("422: %j is refused by its field", (body, pointer) => {
  expect(refused(CreateEndpoint, body)).toEqual([pointer]);
});

test.each([{ id: "ep_1" }, { tenant_id: "x" }, { created_at: "2026-01-01" }, { secret: "x" }])(
  "422: what cannot be changed is refused: %j",
  (body) => {
    expect(refused(UpdateEndpoint, body)).toEqual(["/"]);
  },
);
