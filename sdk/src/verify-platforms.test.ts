import { execFile } from "node:child_process";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import path from "node:path";
import { promisify } from "node:util";

import { EdgeVM } from "@edge-runtime/vm";
import { rolldown } from "rolldown";
import { Webhook } from "standardwebhooks";
import { beforeAll, describe, expect, test } from "vitest";

import { noBrowser, startBrowser } from "../../server/test/harness/browser.ts";

/*
 * `verify` where it is promised to run: as a bundler makes it for a page or an edge function, in the real platforms. Who
 * signs is the reference library for `v1` and Node for `v1a`, never our own code.
 */

type Case = {
  readonly name: string;
  /** What comes in, as text: it is handed over as bytes. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly now: number;
  readonly expected: string;
};

const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const body = '{"type":"call.ended","timestamp":"2026-01-02T03:04:05.000Z","data":{"summary":"ביקשה שיווק נכס 🏠"}}';
const tampered = body.replace("call.ended", "call.ebded");
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const otherSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const [pair, otherPair] = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")];

const symmetric = headersWith(new Webhook(secret).sign("msg_1", new Date(now), body));
const asymmetric = headersWith(ed25519(pair.privateKey));
const ownKey = publicKeyOf(pair.publicKey);

const right = [
  { name: "v1, right", headers: symmetric, secrets: [secret], body, now, expected: "verified msg_1 call.ended" },
  { name: "v1a, right", headers: asymmetric, secrets: [ownKey], body, now, expected: "verified msg_1 call.ended" },
] satisfies Case[];

const cases: readonly Case[] = right.flatMap((one) => {
  const [version = ""] = one.name.split(",");
  const wrong = version === "v1" ? otherSecret : publicKeyOf(otherPair.publicKey);
  return [
    one,
    { ...one, name: `${version}, while the secret is rotated`, secrets: [wrong, ...one.secrets] },
    { ...one, name: `${version}, tampered body`, body: tampered, expected: "signature" },
    { ...one, name: `${version}, wrong secret`, secrets: [wrong], expected: "signature" },
    { ...one, name: `${version}, old timestamp`, now: now + 301_000, expected: "timestamp" },
    { ...one, name: `${version}, timestamp of somebody else's choice`, ...later(one), expected: "signature" },
  ];
});
const expected = Object.fromEntries(cases.map(({ name, expected: result }) => [name, result]));

/** A script that leaves `run`, which gives what `verify` makes of each case. */
let script: string;
beforeAll(async () => {
  const bundle = await rolldown({ input: path.join(import.meta.dirname, "verify.ts"), platform: "browser" });
  const { output } = await bundle.generate({ format: "iife", name: "sdk", minify: true });
  await bundle.close();
  script = `${output[0].code}
    async function resultOf({ body, headers, secrets, now }) {
      try {
        const bytes = new TextEncoder().encode(body);
        const { id, event } = await sdk.verify(bytes, new Headers(headers), secrets, { now: () => now });
        return "verified " + id + " " + event.type;
      } catch (error) {
        return error instanceof sdk.WebhookError ? error.code : String(error);
      }
    }
    async function run(cases) {
      const results = {};
      for (const one of cases) results[one.name] = await resultOf(one);
      return JSON.stringify(results);
    }`;
});
const program = () => `${script}\nrun(${JSON.stringify(cases)})`;

test("in Node, what is signed right verifies and nothing else does", async () => {
  const args = ["--input-type=module", "--eval", `${program()}.then(console.log)`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual(expected);
});

test("in an edge runtime, which has nothing of Node, the same", async () => {
  const edge = new EdgeVM();
  expect(edge.evaluate("[typeof EdgeRuntime, typeof process, typeof Buffer, typeof require].join()")).toBe(
    "string,undefined,undefined,undefined",
  );
  expect(JSON.parse(await edge.evaluate<Promise<string>>(program()))).toEqual(expected);
});

describe.skipIf(noBrowser)("in Chromium", () => {
  test("the same", { timeout: 60_000 }, async () => {
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      // WebCrypto is kept from pages without TLS, so the page has some, and nothing leaves the machine.
      await page.route("https://receiver.example/", (route) => route.fulfill({ contentType: "text/html", body: "" }));
      await page.goto("https://receiver.example/");
      expect(JSON.parse(await page.evaluate<string>(program()))).toEqual(expected);
    } finally {
      await browser.close();
    }
  });
});

function headersWith(signature: string) {
  return {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(now / 1000)),
    "webhook-signature": signature,
  };
}

/** The same request ten minutes later, with its timestamp moved on by whoever sends it again. */
function later({ headers }: Case) {
  return {
    now: now + 600_000,
    headers: { ...headers, "webhook-timestamp": String(Math.floor((now + 600_000) / 1000)) },
  };
}

function ed25519(key: KeyObject): string {
  const signed = Buffer.from(`msg_1.${Math.floor(now / 1000)}.${body}`);
  return `v1a,${sign(null, signed, key).toString("base64")}`;
}

function publicKeyOf(key: KeyObject): string {
  return `whpk_${key.export({ format: "der", type: "spki" }).subarray(-32).toString("base64")}`;
}
