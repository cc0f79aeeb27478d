import type { CallDirection } from "@aftercall/contract/call.ts";
import type { EndpointDirection } from "@aftercall/contract/endpoint.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { chooseEndpoints, type Subscriber } from "./choose.ts";

type Named = Subscriber & { readonly name: string };

const endpoint = (direction: EndpointDirection, types: string[] = ["*"]): Named => ({
  name: direction,
  direction,
  types,
});
const completed = (direction: CallDirection | null) => ({ type: "call.completed", isAboutCall: true, direction });
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
  const choice = chooseEndpoints({ type: "campaign.completed", isAboutCall: false, direction: null }, [
    any,
    inbound,
    outbound,
    generic,
  ]);
  expect(choice.endpoints.map(({ name }) => name)).toEqual(["any", "generic"]);
});

test("a message that goes nowhere says why", () => {
  expect(chooseEndpoints(completed("inbound"), [])).toEqual({ endpoints: [], reason: "no_endpoint" });
  expect(chooseEndpoints(completed("outbound"), [generic])).toEqual({ endpoints: [], reason: "filtered" });
});

const anyEndpoint = fc.record({
  name: fc.string(),
  direction: fc.constantFrom<EndpointDirection>("any", "inbound", "outbound", "generic"),
  types: fc.array(fc.constantFrom("*", "call.*", "call.completed", "call.ended", "campaign.*")),
});
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
