import { readFileSync } from "node:fs";
import { join } from "node:path";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { providerNamed, providers } from "#/providers/index.ts";
import type { RouteKind } from "#/providers/provider.ts";

import { normalFormOf } from "./harness/normal-form.ts";
import {
  isFitting,
  isReadOrMalformed,
  isSameForm,
  receiptsOf,
  signsBody,
  strange,
  undescribed,
  verified,
  withField,
} from "./harness/provider-checks.ts";
import {
  filesBelow,
  providerFolders,
  providerOf,
  providersFolder,
  requestOf,
  vectorsOf,
} from "./harness/provider-files.ts";
import {
  bodies,
  expectedOf,
  isRefusal,
  nowMs,
  parse,
  parsed,
  readFixture,
  refusalOf,
} from "./harness/provider-fixtures.ts";

/*
 * What every provider must hold. A new one is its folder and a line in index.ts; then this suite asks for the rest:
 * README.md, vectors.json (see Vector) and fixtures/expected.json (see Expected).
 */

const routes: readonly RouteKind[] = ["own", "given"];

test("every folder is in the list, and every provider of the list has its folder", () => {
  expect(providers.map(({ name }) => name).toSorted()).toEqual(providerFolders());
  expect(providerNamed("nobody")).toBeUndefined();
});

describe.each(providerFolders())("%s", (folder) => {
  const expected = expectedOf(folder);
  const vectors = vectorsOf(folder);
  const valid = vectors.filter((vector) => vector.expect.valid);

  test("says what it is, and how it is set up", () => {
    const provider = providerOf(folder);
    expect(provider.title).not.toBe("");
    expect(provider.setup.safeParse({}).success).toBe(true);
    expect(undescribed(provider)).toEqual([]);
    expect(provider.accepts.length).toBeGreaterThan(0);
    expect(provider.bodyBytesMax).toBeGreaterThanOrEqual(1_000_000);
    const readme = readFileSync(join(providersFolder, folder, "README.md"), "utf8");
    expect(readme).toMatch(/^## Set up/m);
    expect(readme).toContain("https://");
  });

  test("expected.json has every fixture and nothing else", () => {
    const fixtures = filesBelow(join(providersFolder, folder, "fixtures")).filter((file) => file !== "expected.json");
    expect(Object.keys(expected.files).toSorted()).toEqual(fixtures);
  });

  test.each(bodies(expected))("%s", (file) => {
    const form = expected.files[file];
    expect(parsed(folder, file).map((event) => normalFormOf(event))).toEqual(Array.isArray(form) ? form : [form]);
  });

  test.each(Object.entries(expected.files).filter(([, form]) => isRefusal(form)))("refused: %s", (file, form) => {
    expect({ error: refusalOf(() => parsed(folder, file)) }).toEqual(form);
  });

  test.each(expected.repeats ?? [])("%s and %s tell the same fact: equal keys", (file, repeat) => {
    expect(readFixture(folder, file).equals(readFixture(folder, repeat))).toBe(false);
    expect(parsed(folder, repeat).map(({ key }) => key)).toEqual(parsed(folder, file).map(({ key }) => key));
  });

  test("the same bytes give the same keys whenever they are read", () => {
    for (const file of bodies(expected)) {
      const later = parsed(folder, file, nowMs + 60_000);
      expect(later.map(({ key }) => key)).toEqual(parsed(folder, file).map(({ key }) => key));
    }
  });

  test("there are vectors that verify and vectors that do not", () => {
    expect(valid.length).toBeGreaterThan(0);
    expect(valid.length).toBeLessThan(vectors.length);
  });

  test("nothing verifies without a secret, or with one that is empty or the word of an unset variable", () => {
    for (const vector of vectors) {
      expect(verified(folder, vector, { secrets: [] })).toBe(false);
      for (const value of ["", " ", "undefined", "null"]) {
        const secrets = vector.secrets.map((secret) => ({ ...secret, value }));
        expect(verified(folder, vector, { secrets })).toBe(false);
        const guessed = new Map([...requestOf(vector.request).headers.keys()].map((name) => [name, [value || "x"]]));
        expect(verified(folder, vector, { secrets, headers: guessed })).toBe(false);
      }
    }
  });

  test("a flipped bit anywhere in a signed body is refused", () => {
    for (const vector of valid.filter(({ scheme, request }) => signsBody(scheme) && request.body !== "")) {
      const body = Buffer.from(vector.request.body);
      fc.assert(
        fc.property(fc.nat(body.length - 1), fc.nat(7), (at, bit) => {
          const tampered = Buffer.from(body);
          tampered[at] = (tampered[at] ?? 0) ^ (1 << bit);
          fc.pre(!isSameForm(folder, body, tampered));
          expect(verified(folder, vector, { body: tampered })).toBe(false);
        }),
        { numRuns: 40 },
      );
    }
  });

  test("two copies of a header that decides about trust are refused, equal or not", () => {
    for (const vector of valid) {
      const { headers } = requestOf(vector.request);
      const refused = [...headers].filter(([name, values]) => {
        const twice = new Map(headers).set(name, [...values, ...values]);
        const other = new Map(headers).set(name, [...values, "x"]);
        return !verified(folder, vector, { headers: twice }) && !verified(folder, vector, { headers: other });
      });
      expect({ vector: vector.id, isRefused: refused.length > 0 }).toEqual({ vector: vector.id, isRefused: true });
    }
  });

  test("a rotated secret: the old one, the new one, whichever comes first", () => {
    for (const vector of valid) {
      const others = vector.secrets.map((secret) => ({ ...secret, value: otherSecret }));
      const lists = [vector.secrets, [...others, ...vector.secrets], [...vector.secrets, ...others]];
      const verdicts = lists.map((secrets) => verified(folder, vector, { secrets }));
      expect({ vector: vector.id, verdicts }).toEqual({ vector: vector.id, verdicts: [true, true, true] });
    }
  });

  test("verifying never throws, whatever the headers hold", () => {
    const names = [...new Set(vectors.flatMap(({ request }) => Object.keys(request.headers)))];
    fc.assert(
      fc.property(
        fc.constantFrom(...vectors),
        fc.array(fc.tuple(fc.constantFrom(...names), fc.string())),
        fc.uint8Array(),
        (vector, pairs, bytes) => {
          const headers = new Map(pairs.map(([name, value]) => [name.toLowerCase(), [value]]));
          expect(verified(folder, vector, { headers, body: Buffer.from(bytes) })).toBe(false);
        },
      ),
    );
  });

  test("parsing throws nothing but MalformedBody, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.jsonValue(), (bytes, json) => {
        for (const body of [Buffer.from(bytes), Buffer.from(JSON.stringify(json))]) {
          expect(isReadOrMalformed(() => parse(folder, body))).toBe(true);
        }
      }),
    );
  });

  test("parsing throws nothing but MalformedBody, whatever stands in a field of a real body", () => {
    const files = bodies(expected).filter((file) => file.endsWith(".json"));
    if (files.length === 0) return;
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.nat(), strange, (file, at, value) => {
        const body = Buffer.from(withField(readFixture(folder, file), at, value));
        expect(isReadOrMalformed(() => parse(folder, body, expected.setup?.[file]))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each(routes)(
    "%s route: every receipt is answered, and our own failure never looks like the sender's",
    (route) => {
      const provider = providerOf(folder);
      if (route === "given" && provider.givenRoutes.length === 0) return;
      for (const receipt of receiptsOf(folder, route)) {
        const answer = provider.answer(receipt, provider.setup.parse({}));
        expect({ receipt, answer, fits: isFitting(receipt, answer, route) }).toMatchObject({ fits: true });
      }
    },
  );
});

/** Base64, so that it is a key in every scheme. */
const otherSecret = "bmV4dC1zZWNyZXQtb2YtMzItYnl0ZXMtLS0tLS0tLS0=";
