import { readFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createGuardedHttp, type GuardedHttp } from "#/kernel/net/http.ts";
import { WonderfulSetup } from "#/providers/wonderful/setup.ts";

import { providersFolder } from "../../test/harness/provider-files.ts";
import { startReceiver, type Receiver, type Reply } from "../../test/harness/receiver.ts";
import { fetchTranscript } from "./fetch-transcript.ts";

let api: Receiver;
let http: GuardedHttp;
beforeAll(async () => {
  api = await startReceiver();
  http = createGuardedHttp({ privateTargets: [], allowHttp: true, clock: systemClock });
});
afterAll(async () => {
  await http.close();
  await api.close();
});

const records = readFileSync(join(providersFolder, "wonderful/fixtures/real-ish/transcript-records.json"), "utf8");
const json = (body: unknown, status = 200): Reply => ({
  status,
  body: typeof body === "string" ? body : JSON.stringify(body),
});

function ask(
  reply: Reply,
  setup: Record<string, unknown> = {},
  more: Partial<Parameters<typeof fetchTranscript>[1]> = {},
) {
  api.answer(reply);
  return fetchTranscript(http, {
    communicationId: "comm_1",
    api: WonderfulSetup.parse({ api: { base_url: api.url, ...setup } }).api,
    secrets: [{ slot: "api_key", keyId: null, value: "key-of-the-api" }],
    privateTargets: ["127.0.0.0/8"],
    signal: new AbortController().signal,
    timeoutMs: 2_000,
    ...more,
  });
}

test("a transcript is fetched with the key, from the path that the settings name", async () => {
  const setup = {
    transcript_path: "/calls/{communication_id}/words",
    auth_header: "authorization",
    auth_prefix: "Bearer ",
  };
  const answer = await ask(json(records), setup);
  expect(answer).toMatchObject({ kind: "ready", conversation: { transcript: { turns: { length: 3 } } } });
  const asked = api.received.at(-1);
  expect([asked?.method, asked?.path, asked?.headers.authorization]).toEqual([
    "GET",
    "/calls/comm_1/words",
    "Bearer key-of-the-api",
  ]);
});

describe("not written yet", () => {
  test.each<[string, Reply]>([
    ["404", json("{}", 404)],
    ["an empty list", json([])],
    ["an empty object", json({})],
    ["null", json(null)],
    ["nothing at all", json("")],
    ["records without words", json([{ speaker: "agent", text: "" }])],
  ])("%s is waited for", async (_name, reply) => {
    expect(await ask(reply)).toMatchObject({ kind: "not_ready" });
  });

  test("a status beside the list that the settings name is waited for", async () => {
    expect(await ask(json({ state: "processing" }), { records: "items" })).toMatchObject({ kind: "not_ready" });
  });
});

describe("fails for now", () => {
  test.each([500, 502, 503, 408])("%s is tried again", async (status) => {
    expect(await ask(json("boom", status))).toMatchObject({
      kind: "retry",
      reason: "transcript_unavailable",
      detail: `The Communication API answered ${status}.`,
    });
  });

  test("429 is tried again when the API says", async () => {
    expect(await ask({ status: 429, headers: { "retry-after": "7" } })).toMatchObject({
      kind: "retry",
      afterMs: 7_000,
    });
  });

  test("a broken connection, and an API that hangs", async () => {
    expect(await ask("reset")).toMatchObject({ kind: "retry", reason: "transcript_unavailable" });
    expect(await ask("hang", {}, { timeoutMs: 50 })).toMatchObject({
      kind: "retry",
      detail: expect.stringContaining("in time"),
    });
  });

  test("what is no JSON", async () => {
    expect(await ask(json("<html>maintenance</html>"))).toMatchObject({
      kind: "retry",
      reason: "transcript_unreadable",
    });
  });
});

describe("fails for good, and says what to do", () => {
  test.each([
    [401, "transcript_refused", "set the secret api_key"],
    [403, "transcript_refused", "set the secret api_key"],
    [400, "transcript_refused", "check api.base_url and api.transcript_path"],
    [302, "transcript_refused", "sends elsewhere"],
  ])("%s", async (status, reason, says) => {
    const answer = await ask({ status, headers: { location: "http://169.254.169.254/" } });
    expect(answer).toMatchObject({ kind: "give_up", reason, detail: expect.stringContaining(says) });
  });

  test("a shape that the settings do not fit names the fields that are there, and none of their content", async () => {
    const wrapped = await ask(json({ results: [{ text: "a secret sentence" }] }));
    expect(wrapped).toMatchObject({
      kind: "give_up",
      detail: expect.stringContaining("set api.records. It has the fields results"),
    });
    const renamed = await ask(json([{ who: "agent", said: "a secret sentence" }]));
    expect(renamed).toMatchObject({
      kind: "give_up",
      detail: expect.stringContaining("set api.text. They have who, said"),
    });
    expect(JSON.stringify([wrapped, renamed])).not.toContain("a secret sentence");
  });

  test("no base URL, and one that this server may not reach", async () => {
    expect(await ask(json([]), { base_url: "" })).toMatchObject({ kind: "give_up", reason: "api_not_configured" });
    const before = api.received.length;
    expect(await ask(json(records), {}, { privateTargets: [] })).toMatchObject({
      kind: "give_up",
      reason: "transcript_refused",
    });
    expect(api.received).toHaveLength(before);
  });
});
