import type { CallDirection } from "@aftercall/contract/call.ts";
import type { EndpointDirection } from "@aftercall/contract/endpoint.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { chooseEndpoints, type MessageKind, type Subscriber } from "./choose.ts";
import { compileFilter } from "./filter.ts";

type Named = Subscriber & { readonly name: string };

const endpoint = (direction: EndpointDirection, types: string[] = ["*"], more: Partial<Named> = {}): Named => ({
  name: direction,
  kind: "ordinary",
  direction,
  types,
  campaignIds: null,
  channels: null,
  filter: null,
  ...more,
});
const message = (changes: Partial<MessageKind> = {}): MessageKind => ({
  type: "call.completed",
  kind: "ordinary",
  isAboutCall: true,
  direction: null,
  campaignId: null,
  channels: [],
  payload: () => ({}),
  ...changes,
});
const completed = (direction: CallDirection | null) => message({ direction });
const namesFor = (direction: CallDirection | null, endpoints: Named[]) =>
  chooseEndpoints(completed(direction), endpoints).endpoints.map(({ name }) => name);

const [inbound, outbound, generic, any] = [
  endpoint("inbound"),
  endpoint("outbound"),
  endpoint("generic"),
  endpoint("any"),
];

test.each([
  // call direction, endpoints that are set, endpoints that get it
  ["inbound", [inbound, outbound, generic], ["inbound"]],
  ["inbound", [outbound, generic], ["generic"]],
  ["inbound", [inbound], ["inbound"]],
  ["inbound", [outbound], []],
  ["outbound", [inbound, outbound, generic], ["outbound"]],
  ["outbound", [outbound], ["outbound"]],
  ["outbound", [inbound, generic], []],
  ["web", [inbound, outbound, generic], ["inbound"]],
  ["web", [generic], ["generic"]],
  [null, [inbound, outbound, generic], ["inbound"]],
  [null, [outbound, generic], ["generic"]],
  ["inbound", [any, inbound, outbound, generic], ["any", "inbound"]],
  ["outbound", [any, inbound, generic], ["any"]],
] as const)(
  "a call that is %s goes to the endpoint of its direction, outbound ones never elsewhere",
  (direction, set, expected) => {
    expect(namesFor(direction, [...set])).toEqual(expected);
  },
);

test("two endpoints of one role both get the call", () => {
  expect(namesFor("inbound", [inbound, inbound, generic])).toEqual(["inbound", "inbound"]);
});

test("an inbound endpoint that does not want the type leaves it to the generic one", () => {
  expect(namesFor("inbound", [endpoint("inbound", ["call.ended"]), generic])).toEqual(["generic"]);
});

test.each([
  [["*"], true],
  [["call.*"], true],
  [["call.completed"], true],
  [["call.ended", "call.completed"], true],
  [["call.ended"], false],
  [["campaign.*"], false],
  [["call"], false],
  [["cal*"], false],
  [[], false],
])("an endpoint for %j gets call.completed: %j", (types, gets) => {
  expect(namesFor(null, [endpoint("any", types)])).toEqual(gets ? ["any"] : []);
});

test("what is not about a call goes to endpoints for any direction and to generic ones", () => {
  const aboutCampaign = message({ type: "campaign.completed", isAboutCall: false });
  const choice = chooseEndpoints(aboutCampaign, [any, inbound, outbound, generic]);
  expect(choice.endpoints.map(({ name }) => name)).toEqual(["any", "generic"]);
});

test("a message that goes nowhere says why", () => {
  expect(chooseEndpoints(completed("inbound"), [])).toEqual({ endpoints: [], reason: "no_endpoint" });
  expect(chooseEndpoints(completed("outbound"), [generic])).toEqual({ endpoints: [], reason: "filtered" });
  const operational = { ...any, kind: "operational" } as const;
  expect(chooseEndpoints(completed("inbound"), [operational])).toEqual({ endpoints: [], reason: "no_endpoint" });
});

const gets = (endpointMore: Partial<Named>, changes: Partial<MessageKind>) =>
  chooseEndpoints(message(changes), [endpoint("any", ["*"], endpointMore)]).endpoints.length === 1;

test("messages about the delivery itself go to operational endpoints, and nothing else does", () => {
  expect(gets({ kind: "operational" }, { kind: "operational", isAboutCall: false })).toBe(true);
  expect(gets({ kind: "ordinary" }, { kind: "operational", isAboutCall: false })).toBe(false);
  expect(gets({ kind: "operational" }, { kind: "ordinary" })).toBe(false);
});

test("an endpoint for campaigns gets what belongs to one of them", () => {
  expect(gets({ campaignIds: new Set(["a", "b"]) }, { campaignId: "b" })).toBe(true);
  expect(gets({ campaignIds: new Set(["a"]) }, { campaignId: "c" })).toBe(false);
  expect(gets({ campaignIds: new Set(["a"]) }, { campaignId: null })).toBe(false);
});

test("an endpoint for channels gets what is sent on any of them, and nothing that is sent on none", () => {
  expect(gets({ channels: new Set(["a", "b"]) }, { channels: ["x", "b"] })).toBe(true);
  expect(gets({ channels: new Set(["a"]) }, { channels: ["x"] })).toBe(false);
  expect(gets({ channels: new Set(["a"]) }, { channels: [] })).toBe(false);
  expect(gets({ channels: null }, { channels: ["x"] })).toBe(true);
});

test("a filter is asked of the payload, which nobody makes without one", () => {
  const filter = compileFilter({ "data.call.city": "Haifa" });
  expect(gets({ filter }, { payload: () => ({ data: { call: { city: "Haifa" } } }) })).toBe(true);
  expect(gets({ filter }, { payload: () => ({ data: { call: {} } }) })).toBe(false);
  const payload = (): never => expect.fail("asked for the payload");
  expect(gets({}, { payload })).toBe(true);
  expect(gets({ filter, types: ["call.ended"] }, { payload })).toBe(false);
});

const anyEndpoint = fc
  .record({
    name: fc.string(),
    direction: fc.constantFrom<EndpointDirection>("any", "inbound", "outbound", "generic"),
    types: fc.array(fc.constantFrom("*", "call.*", "call.completed", "call.ended", "campaign.*")),
  })
  .map((one): Named => ({ ...endpoint(one.direction), ...one }));
const anyDirection = fc.constantFrom<CallDirection | null>("inbound", "outbound", "web", null);

test("an outbound call reaches no inbound or generic endpoint, and no other call an outbound one", () => {
  fc.assert(
    fc.property(fc.array(anyEndpoint), anyDirection, (endpoints, direction) => {
      const chosen = chooseEndpoints(completed(direction), endpoints).endpoints.map((one) => one.direction);
      const allowed = direction === "outbound" ? ["any", "outbound"] : ["any", "inbound", "generic"];
      expect(chosen.filter((role) => !allowed.includes(role))).toEqual([]);
      expect(chosen.includes("inbound") && chosen.includes("generic")).toBe(false);
    }),
  );
});

test("an endpoint is chosen at most once, and a message either goes somewhere or says why not", () => {
  fc.assert(
    fc.property(fc.array(anyEndpoint), anyDirection, (endpoints, direction) => {
      const { endpoints: chosen, reason } = chooseEndpoints(completed(direction), endpoints);
      expect(new Set(chosen).size).toBe(chosen.length);
      expect(chosen.length > 0).toBe(reason === null);
    }),
  );
});
