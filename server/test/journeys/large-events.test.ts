import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { wavFile } from "../harness/audio/files.ts";
import { makeCustomer, randomToken } from "../harness/customer.ts";
import { createRandom } from "../harness/random.ts";

let app: TestApp;
let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), "large-events-"));
  app = await startTestApp({ AFTERCALL_DATA_DIR: dataDir });
});
afterAll(async () => {
  await app.stop();
  await rm(dataDir, { recursive: true });
});

/** Twenty minutes of noise: longer than any body that is held. */
const audio = wavFile(7, 8, 1, 8_000, Buffer.alloc(9_600_000, createRandom(1)(997)));
const sha256 = createHash("sha256").update(audio).digest("hex");

function audioEvent(conversation: string): string {
  const data = { agent_id: "agent_1", conversation_id: conversation, full_audio: audio.toString("base64") };
  return JSON.stringify({ type: "post_call_audio", event_timestamp: Math.floor(Date.now() / 1000), data });
}

test("a recording inside an event that is too long to be held is verified, stored and kept once", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("elevenlabs");
  const conversation = randomToken("conv");
  const body = audioEvent(conversation);
  expect(body.length).toBeGreaterThan(12_000_000);
  expect((await line.own(body)).status).toBe(200);
  expect((await line.own(body)).status).toBe(200);

  const [event, ...others] = await customer.events();
  expect(others).toEqual([]);
  expect(event?.type).toBe("post_call_audio");
  const [call] = await customer.calls();
  expect(call?.recording).toMatchObject({ status: "available", url: null });
  const rows = await app.db.inTransaction([customer.tenantId], (tx) =>
    tx.rows<{ body: Buffer }>("select body from events where tenant_id = $1", [customer.tenantId]),
  );
  expect(rows[0]?.body.length).toBeLessThan(1_000);
  expect(JSON.parse(rows[0]?.body.toString() ?? "")).toMatchObject({
    data: { conversation_id: conversation, full_audio: { sha256, bytes: audio.length } },
  });
});

test("401: a byte that was changed on the way, and nothing of it is kept", async () => {
  const customer = await makeCustomer(app);
  const line = await customer.connect("elevenlabs");
  const signed = line.sign(audioEvent(randomToken("conv")), `/webhooks/${line.source.slug}`);
  const at = signed.body.indexOf("full_audio") + 5_000_000;
  const changed = `${signed.body.slice(0, at)}${signed.body[at] === "A" ? "B" : "A"}${signed.body.slice(at + 1)}`;
  const answer = await app.post(`/webhooks/${line.source.slug}`, { ...signed, body: changed });
  expect(answer.status).toBe(401);
  expect(await customer.events()).toEqual([]);
});
