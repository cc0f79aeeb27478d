import { randomUUID } from "node:crypto";

import { idPrefixes, toPublicId, type IdKind } from "@aftercall/contract/id.ts";
import { openApiOf } from "@aftercall/contract/openapi.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { checkAnswer } from "../harness/contract-check.ts";
import { makeCustomer, newUuid, type Customer } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { type Schema, valuesOf } from "./arbitrary.ts";

/*
 * Requests drawn from the OpenAPI document, good and bad, at the whole server: no answer may be our own failure, and each must
 * be one that the document describes. `FUZZ_REQUESTS` says how many (`npm run fuzz`: 20,000); `FUZZ_SEED` runs one again.
 */
const total = Number(process.env["FUZZ_REQUESTS"] ?? 1_000);
const atOnce = 8;

let app: TestApp;
let customer: Customer;
/** Ids that are there, so that not every path leads nowhere. */
let ids: readonly string[];

beforeAll(async () => {
  app = await startTestApp({ AFTERCALL_READS_PER_MINUTE: "0", AFTERCALL_WRITES_PER_MINUTE: "0" });
  customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  await vapi.own(fixture("vapi", "real/end-of-call-report.json"));
  const made = [
    await customer.post("/v1/calls", { provider: "vapi", provider_call_id: newUuid() }),
    await customer.post("/v1/campaigns", { name: "Spring" }),
    await customer.post("/v1/endpoints", { url: "http://127.0.0.1:59999/", schedule_ms: [1_000] }),
    await customer.post("/v1/members", { external_id: newUuid(), role: "viewer" }),
    await customer.post("/v1/assignments", { title: "Objections" }),
  ];
  ids = [...made.map(({ id }) => id), vapi.source.id, (await customer.calls())[0]?.id ?? ""];
}, 120_000);
afterAll(() => app.stop());

type Parameter = { readonly name?: string; readonly in?: string; readonly schema?: Schema };
type Operation = {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
};
type Drawn = {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly type: string;
  readonly body: string | null;
};

const document = JSON.parse(JSON.stringify(openApiOf({ version: "test" }))) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
const names = document.components.schemas;

/** Ends the key that asks, or asks somebody else's server and waits for it. */
const left = /^\/v1\/(?:tenants|engines\/\w+\/test|identity-providers|stream)/;

const pathParts = fc.oneof(
  { weight: 3, arbitrary: fc.nat(6).map((i) => `{own ${i}}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...(Object.keys(idPrefixes) as IdKind[])).map((kind) => toPublicId(kind, randomUUID())),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("x", "%00", "..%2f..", "constructor", "lead.qualified", "%f0%9f%98%80", "0"),
  },
);

const requests = fc.oneof(
  ...Object.entries(document.paths)
    .filter(([path]) => path.startsWith("/v1/") && !left.test(path))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => requestOf(method, path, operation)),
    ),
);

function requestOf(method: string, path: string, { parameters = [], requestBody }: Operation): fc.Arbitrary<Drawn> {
  const queries = parameters.filter((one) => one.in === "query");
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? ["", null];
  const schema = content?.schema;
  return fc.record({
    method: fc.constant(method.toUpperCase()),
    type: fc.constant(type),
    path: fc
      .tuple(
        fc.array(pathParts, { minLength: 3, maxLength: 3 }),
        fc.record(Object.fromEntries(queries.map(({ name = "", schema = {} }) => [name, valuesOf(schema, names)])), {
          requiredKeys: [],
        }),
      )
      .map(([parts, query]) => {
        let place = 0;
        const filled = path.replaceAll(/\{\w+\}/g, () => parts[place++ % parts.length] ?? "x");
        const search = new URLSearchParams(
          Object.entries(query).map(([name, value]) => [
            name,
            typeof value === "string" ? value : JSON.stringify(value),
          ]),
        );
        return search.size === 0 ? filled : `${filled}?${search.toString()}`;
      }),
    headers: fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc
          .constantFrom("a", "b", '"quoted"', " ", "k".repeat(300))
          .map((used) => ({ "idempotency-key": used })),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom("*", '"x"', 'W/"x"', ",,").map((tag) => ({ "if-match": tag, "if-none-match": tag })),
      },
    ),
    body: schema
      ? fc.oneof(
          { weight: 10, arbitrary: bodiesOf(schema) },
          {
            weight: 1,
            arbitrary: fc.constantFrom("", "{", "[]", '{"a":1,"a":2}', '{"__proto__":{}}', "\ufeff{}", "nul"),
          },
        )
      : fc.constant(null),
  });
}

/** JSON; or, where a file is taken, a few lines of it. */
function bodiesOf(schema: Schema): fc.Arbitrary<string> {
  const line = schema["contentSchema"] as Schema | undefined;
  if (line) return fc.array(bodiesOf(line), { maxLength: 4 }).map((lines) => lines.join("\n"));
  return valuesOf(schema, names).map((value) => JSON.stringify(value) ?? "null");
}

async function send({ method, path, headers, type, body }: Drawn): Promise<string | null> {
  const filled = path.replaceAll(/\{own (\d)\}/g, (_all, i: string) => ids[Number(i)] ?? "x");
  const answer = await fetch(app.url + filled, {
    method,
    headers: {
      authorization: `Bearer ${customer.key}`,
      ...(body !== null && { "content-type": type }),
      ...headers,
    },
    ...(body !== null && { body }),
  });
  const text = await answer.text();
  const place = `${method} ${filled} ${JSON.stringify(headers)} ${body?.slice(0, 2_000) ?? ""}`;
  if (answer.status >= 500) return `${answer.status} to ${place}: ${text}`;
  try {
    checkAnswer(method, filled, { status: answer.status, type: answer.headers.get("content-type") ?? "", text });
  } catch (error) {
    return `${String(error)} to ${place}`;
  }
  return null;
}

test(`no 5xx and nothing undocumented in ${total} requests`, { timeout: 3_600_000 }, async () => {
  let sent = 0;
  const faults = new Set<string>();
  const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(total * 7919 + 17));
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: atOnce, maxLength: atOnce }), async (batch) => {
      const answers = await Promise.all(batch.map(send));
      sent += batch.length;
      for (const fault of answers) if (fault !== null && faults.size < 20) faults.add(fault);
    }),
    { numRuns: Math.ceil(total / atOnce), seed, endOnFailure: true },
  );
  expect([...faults]).toEqual([]);
  expect(sent).toBeGreaterThanOrEqual(total);
});

test.each([
  ["half a character", "\ud800"],
  ["a NUL", "\u0000"],
])("%s in JSON of any shape is refused or mended, and never our failure", async (_name, text) => {
  const free = { [text]: text, list: [text] };
  for (const [path, body] of [
    ["/v1/training-sessions", { feedback: free }],
    ["/v1/calls", { provider: "vapi", provider_call_id: newUuid(), metadata: free }],
    ["/v1/campaigns", { name: text }],
    ["/v1/event-types", { name: `lead.q${newUuid().slice(0, 8)}`, examples: { en: free } }],
    ["/v1/endpoints", { url: "http://127.0.0.1:59999/", description: text, metadata: free }],
    ["/v1/analysis-plans", { name: text }],
    ["/v1/members", { external_id: newUuid(), role: "viewer", name: text }],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- Few.
    const { status } = await app.ask(customer.key, "POST", path, body);
    expect([path, status < 500]).toEqual([path, true]);
  }
});
