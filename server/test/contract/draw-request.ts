import { randomUUID } from "node:crypto";

import { idPrefixes, toPublicId, type IdKind } from "@aftercall/contract/id.ts";
import { openApiOf } from "@aftercall/contract/openapi.ts";
import * as fc from "fast-check";

import { type Reading, type Schema, valuesOf } from "./arbitrary.ts";
import { bodiesLike, type IntakeProvider } from "./provider-bodies.ts";

/**
 * A request as it was drawn. Names of things are open in it, `{own calls 2}`, until it is sent: what is there then is used.
 */
export type Drawn = {
  readonly method: string;
  readonly path: string;
  /** How the document writes the path. */
  readonly route: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly type: string;
  readonly body: string | null;
  /** Whose credentials it has. What providers send is signed for anybody but nobody. */
  readonly caller: (typeof callers)[number];
  /** Whether the addresses in it are such as may not be dialled. */
  readonly isAstray: boolean;
};

/** Requests of every operation of the document. All that a tenant has is asked for less often: it is everything so far. */
export function everyRequest(): fc.Arbitrary<Drawn> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      weight: path === "/v1/export" ? 1 : 10,
      arbitrary: requestOf(method, path, operation),
    })),
  );
  return fc.oneof(...operations);
}

type Parameter = { readonly name?: string; readonly in?: string; readonly schema?: Schema };
type Operation = {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
};
const document = JSON.parse(JSON.stringify(openApiOf({ version: "test" }))) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
/** Most of what is sent is as it should be: only that gets far. */
const readings = [Infinity, Infinity, 12].map((oddOneIn) => ({ names: document.components.schemas, oddOneIn }));

/** Whose requests the routes outside of /v1 take; any provider's, where there is none. */
export const providerOf: Readonly<Record<string, IntakeProvider | null>> = {
  "/api/webhooks/call_completed": "livekit",
  "/api/webhooks/vapi": "vapi",
  "/webhooks/elevenlabs/post-call": "elevenlabs",
  "/webhook/call_status": "twilio",
  "/webhook/recording_status": "twilio",
  "/api/webhooks/wonderful/call-complete": "wonderful",
  "/webhooks/{source}": null,
};

function requestOf(method: string, route: string, { parameters = [], requestBody }: Operation): fc.Arbitrary<Drawn> {
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? ["", null];
  const provider = providerOf[route];
  const body = content && (provider === undefined ? bodiesOf(content.schema ?? {}) : bodiesLike(provider));
  return fc.record({
    method: fc.constant(method.toUpperCase()),
    route: fc.constant(route),
    type: fc.constant(type),
    caller: fc.constantFrom(...callers),
    isAstray: fc.constantFrom(true, ...Array<boolean>(9).fill(false)),
    path: fc.tuple(pathsOf(route, parameters), queriesOf(parameters)).map((parts) => parts.join("")),
    headers: fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: repeats }, conditions),
    body: body ? fc.oneof({ weight: 10, arbitrary: body }, noJson) : fc.constant(null),
  });
}

const callers = ["nobody", "user", "viewer", ...Array<"operator">(21).fill("operator")] as const;
const repeats = fc
  .constantFrom("a", "b", '"quoted"', " ", "k".repeat(300))
  .map((used): Record<string, string> => ({ "idempotency-key": used }));
const conditions = fc
  .constantFrom("*", '"x"', 'W/"x"', ",,")
  .map((tag): Record<string, string> => ({ "if-match": tag, "if-none-match": tag }));
const noJson = fc.constantFrom("", "{", "[]", '{"a":1,"a":2}', '{"__proto__":{}}', "\ufeff{}", "nul");

const strangeParts = fc.oneof(
  fc.constantFrom(...(Object.keys(idPrefixes) as IdKind[])).map((kind) => toPublicId(kind, randomUUID())),
  fc.constantFrom("x", "%00", "..%2f..", "constructor", "lead.qualified", "%f0%9f%98%80", "0"),
);

function pathsOf(route: string, parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const pieces = route.split(/(?<=\/)(?=\{)/).map((piece) => {
    const name = /^\{(\w+)\}/.exec(piece)?.[1];
    return { name, rest: piece.replace(/^\{\w+\}/, "") };
  });
  let noun = "";
  const drawn = pieces.map(({ name, rest }) => {
    const own = noun;
    noun = /([\w-]+)\/$/.exec(rest)?.[1] ?? "";
    if (name === undefined) return fc.constant(rest);
    const schema = parameters.find((one) => one.in === "path" && one.name === name)?.schema ?? {};
    const part = schema["enum"]
      ? asRead((reading) => valuesOf(schema, reading)).map((value) => encodeURIComponent(String(value)))
      : fc.oneof({ weight: 5, arbitrary: fc.nat(19).map((i) => `{own ${own} ${i}}`) }, strangeParts);
    return part.map((text) => text + rest);
  });
  return fc.tuple(...drawn).map((texts) => texts.join(""));
}

function queriesOf(parameters: readonly Parameter[]): fc.Arbitrary<string> {
  const taken = parameters.flatMap(({ in: place, name = "", schema = {} }) =>
    place === "query"
      ? [
          fc.tuple(
            fc.constant(name),
            asRead((reading) => valuesOf(schema, reading)),
          ),
        ]
      : [],
  );
  const few = fc.subarray(taken, { maxLength: Math.min(taken.length, 2) }).chain((some) => fc.tuple(...some));
  return fc.tuple(few, fc.nat(19), fc.boolean()).map(([drawn, number, isNamed]) => {
    const given = Object.fromEntries(drawn);
    const query = isNamed ? namingFields(given, number) : given;
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]) => [name, typeof value === "string" ? value : textOf(value)]),
    );
    const text = search.toString().replaceAll(/%7Bown\+([\w-]+)\+(\d+)%7D/g, "{own $1 $2}");
    return text === "" ? "" : `?${text}`;
  });
}

/** JSON; or, where a file is taken, a few lines of it. */
function bodiesOf(schema: Schema): fc.Arbitrary<string> {
  const line = schema["contentSchema"] as Schema | undefined;
  if (line) return fc.array(bodiesOf(line), { maxLength: 4 }).map((lines) => lines.join("\n"));
  return fc
    .tuple(
      asRead((reading) => valuesOf(schema, reading)),
      fc.nat(19),
      fc.boolean(),
    )
    .map(([value, number, isNamed]) => textOf(isNamed ? naming(value, number) : value));
}

function asRead(draw: (reading: Reading) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(...readings.map(draw));
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

/** The same with ids of things that are there, where ids of them are asked for. */
function naming(value: unknown, number: number): unknown {
  if (Array.isArray(value)) return value.map((one) => naming(one, number));
  return typeof value === "object" && value !== null ? namingFields(value, number) : value;
}

function namingFields(value: object, number: number): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(value).map(([field, one]) => {
      const noun = nounsOfFields.get(field.replace(/_ids?$/, ""));
      if (!noun) return [field, naming(one, number)];
      const own = `{own ${noun} ${number}}`;
      return [field, field.endsWith("_ids") ? [own] : typeof one === "string" ? own : one];
    }),
  );
}

const nounsOfFields: ReadonlyMap<string, string> = new Map([
  ["call", "calls"],
  ["campaign", "campaigns"],
  ["endpoint", "endpoints"],
  ["message", "messages"],
  ["source", "webhooks"],
  ["assignment", "assignments"],
  ["plan", "analysis-plans"],
  ["run", "analysis-runs"],
  ["user", "users"],
]);
