import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, test } from "vitest";

import { keyOf, newSecret, publicKeyOf, sign } from "#/delivery/sign.ts";

const page = readFileSync(fileURLToPath(new URL("../../docs/guides/verify-our-webhooks.md", import.meta.url)), "utf8");
const blocksOf = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map((match) => match[1] ?? "");

type Case = {
  name: string;
  secret: string;
  headers: Record<string, string>;
  body: string;
  now: number;
  valid: boolean;
};

const now = 1_800_000_000;
const [secret, before, stranger] = [1, 2, 3].map((n) => newSecret((size) => Buffer.alloc(size, n))) as [
  string,
  string,
  string,
];
const body = '{"type":"call.completed","data":{"city":"בית שאן"}}';
function signed(secrets: readonly string[], timestamp = now) {
  return {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(timestamp),
    "webhook-signature": sign("msg_1", timestamp, Buffer.from(body), secrets.map(keyOf)),
  };
}
const asymmetric = newSecret((size) => Buffer.alloc(size, 4), "ed25519");
const as = (name: string, valid: boolean, changes: Partial<Case> = {}): Case => ({
  name,
  secret,
  headers: signed([secret]),
  body,
  now,
  valid,
  ...changes,
});
const cases: Case[] = [
  as("what we send", true),
  as("the old secret during a rotation", true, { headers: signed([before, secret]) }),
  as("beside an Ed25519 signature", true, { headers: signed([asymmetric, secret]) }),
  as("just in time", true, { now: now + 300 }),
  as("another secret", false, { headers: signed([stranger]) }),
  as("a changed body", false, { body: `${body} ` }),
  as("another id", false, { headers: { ...signed([secret]), "webhook-id": "msg_2" } }),
  as("too old", false, { now: now + 301 }),
  as("from the future", false, { now: now - 301 }),
  as("no time", false, { headers: { ...signed([secret]), "webhook-timestamp": "yesterday" } }),
  as("no headers", false, { headers: {} }),
  as("an empty signature", false, { headers: { ...signed([secret]), "webhook-signature": "" } }),
  as("half a signature", false, {
    headers: { ...signed([secret]), "webhook-signature": signed([secret])["webhook-signature"].slice(0, 20) },
  }),
];

/** How the code of a language is put beside a few lines that ask it each case and print the answers as JSON. */
type Language = {
  readonly block: string;
  readonly command: string;
  readonly version: string[];
  readonly files: (code: string) => Record<string, string>;
  readonly run: string[];
};

const languages: readonly Language[] = [
  {
    block: "js",
    command: process.execPath,
    version: ["--version"],
    files: (code) => ({
      "verify.mjs": code,
      "main.mjs": `import { readFileSync } from "node:fs";
import { verify } from "./verify.mjs";
const cases = JSON.parse(readFileSync("cases.json", "utf8"));
console.log(JSON.stringify(cases.map((c) => verify(c.secret, c.headers, Buffer.from(c.body), c.now))));`,
    }),
    run: ["main.mjs"],
  },
  {
    block: "python",
    command: "python3",
    version: ["--version"],
    files: (code) => ({
      "verify.py": code,
      "main.py": `import json
from verify import verify
cases = json.load(open("cases.json", encoding="utf-8"))
print(json.dumps([verify(c["secret"], c["headers"], c["body"].encode(), c["now"]) for c in cases]))`,
    }),
    run: ["main.py"],
  },
  {
    block: "go",
    command: "go",
    version: ["version"],
    files: (code) => ({
      "go.mod": "module example.com/receiver\n\ngo 1.21\n",
      "webhook/verify.go": code,
      "main.go": `package main

import (
	"encoding/json"
	"net/http"
	"os"
	"time"

	"example.com/receiver/webhook"
)

func main() {
	var cases []struct {
		Secret  string
		Headers map[string]string
		Body    string
		Now     int64
	}
	text, _ := os.ReadFile("cases.json")
	if err := json.Unmarshal(text, &cases); err != nil {
		panic(err)
	}
	answers := []bool{}
	for _, c := range cases {
		headers := http.Header{}
		for name, value := range c.Headers {
			headers.Set(name, value)
		}
		answers = append(answers, webhook.Verify(c.Secret, headers, []byte(c.Body), time.Unix(c.Now, 0)))
	}
	json.NewEncoder(os.Stdout).Encode(answers)
}`,
    }),
    run: ["run", "."],
  },
  {
    block: "php",
    command: "php",
    version: ["--version"],
    files: (code) => ({
      "verify.php": code,
      "main.php": `<?php
require 'verify.php';
$cases = json_decode(file_get_contents('cases.json'), true);
echo json_encode(array_map(fn ($c) => verify($c['secret'], $c['headers'], $c['body'], $c['now']), $cases));`,
    }),
    run: ["main.php"],
  },
  {
    block: "ruby",
    command: "ruby",
    version: ["--version"],
    files: (code) => ({
      "verify.rb": code,
      "main.rb": `require "json"
require_relative "verify"
cases = JSON.parse(File.read("cases.json", encoding: "UTF-8"))
puts JSON.generate(cases.map { |c| verify(c["secret"], c["headers"], c["body"], c["now"]) })`,
    }),
    run: ["main.rb"],
  },
];
const isInstalled = ({ command, version }: Language) => spawnSync(command, version).status === 0;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "aftercall-verify-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("the page shows the five languages", () => {
  expect(languages.map(({ block }) => blocksOf(block).length > 0)).toEqual([true, true, true, true, true]);
});

// What is not installed here is shown as skipped.
for (const language of languages) {
  const { block, command, files, run } = language;
  test.skipIf(!isInstalled(language))(
    `the ${block} code of the page accepts what we send and refuses everything else`,
    () => {
      const directory = join(folder, block);
      for (const [name, text] of Object.entries({
        ...files(blocksOf(block)[0] ?? ""),
        "cases.json": JSON.stringify(cases),
      })) {
        mkdirSync(join(directory, name, ".."), { recursive: true });
        writeFileSync(join(directory, name), text);
      }
      const answers = JSON.parse(execFileSync(command, run, { cwd: directory, encoding: "utf8" })) as boolean[];
      expect(cases.map(({ name }, i) => [name, answers[i]])).toEqual(cases.map(({ name, valid }) => [name, valid]));
    },
  );
}

test("the code for public keys accepts what the private half signed, and nothing else", async () => {
  const file = join(folder, "ed25519.mjs");
  writeFileSync(file, blocksOf("js")[1] ?? "");
  const { verifyEd25519 } = (await import(file)) as {
    verifyEd25519: (key: string, headers: object, body: Buffer, now: number) => boolean;
  };
  const publicKey = publicKeyOf(keyOf(asymmetric)) ?? "";
  const headers = signed([secret, asymmetric]);
  expect(verifyEd25519(publicKey, headers, Buffer.from(body), now)).toBe(true);
  expect(verifyEd25519(publicKey, headers, Buffer.from(`${body} `), now)).toBe(false);
  expect(verifyEd25519(publicKey, headers, Buffer.from(body), now + 301)).toBe(false);
  expect(verifyEd25519(publicKey, signed([secret]), Buffer.from(body), now)).toBe(false);
});
