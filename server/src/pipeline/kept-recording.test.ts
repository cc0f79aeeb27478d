import type { RecordingInfo } from "@aftercall/contract/call.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { CallChange, CallResult, Change } from "#/calls/change.ts";
import { type CallRecord, toCall } from "#/calls/record.ts";
import { loadCall } from "#/calls/store.ts";
import { turnsOf } from "#/models/language/test-model.ts";
import { forgetRecordings } from "#/recordings/forget-store.ts";

import { knownWav as wav } from "../../test/harness/audio/known-call.ts";
import { startRecordingHost } from "../../test/harness/recording-host.ts";
import type { PipelineData } from "./run.ts";
import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
let host: Awaited<ReturnType<typeof startRecordingHost>>;
beforeAll(async () => {
  [setup, host] = await Promise.all([pipelineSetup(), startRecordingHost()]);
});
afterAll(() => Promise.all([setup.close(), host.close()]));

const decoded = { status: "stored", duration_ms: 13_000, channels: 2, codec: "pcm_mulaw", reason: null };
const words = turnsOf(["agent", "Good morning."], ["customer", "I want to sell my flat."]);

/** A call whose recording is these bytes; they say that they are sound, whatever they are. */
async function recorded(name: string, body: Buffer): Promise<PipelineData> {
  host.serve((_request, response) => response.writeHead(200, { "content-type": "audio/wav" }).end(body));
  const tenantId = await setup.makeTenant();
  const source = await setup.recordings.makeSource(tenantId, "vapi", {
    secrets: [{ slot: "secret", value: "s3cret" }],
  });
  const recording: RecordingInfo = {
    status: "available",
    url: `${host.url}/${name}`,
    duration_ms: null,
    channels: null,
  };
  const ids = await setup.makeCall(tenantId, { turns: words, facts: { recording } });
  await setup.db.inTransaction([tenantId], (tx) =>
    tx.run(
      `insert into events (tenant_id, id, source_id, provider, type, key, received_at, route, url, content_type, headers, body, verification, effect, call_id)
       values ($1, $2::uuid, $3, 'vapi', 'test', 'k', now(), 'own', '/', 'application/json', '{}', '{}', 'none', 'applied', $2)`,
      [tenantId, ids.callId, source],
    ),
  );
  return ids;
}

async function shown({ tenantId, callId }: PipelineData) {
  const record = await setup.db.inTransaction([tenantId], (tx) => loadCall(tx, tenantId, callId));
  return record && recordingIn(record);
}

const recordingIn = (record: CallRecord) => toCall(record, []).recording;

function completed(changes: readonly Change[]) {
  const settled = changes.find((change): change is CallChange => change.type === "call.settled");
  return settled && recordingIn(settled.after);
}

const readyIn = (changes: readonly Change[]) =>
  changes.filter((change): change is CallResult => change.type === "recording.ready");

test("a stored recording is shown with its length, channels and codec: in the call, call.completed and recording.ready, told once", async () => {
  const bench = setup.bench();
  const ids = await recorded("fine.wav", wav);
  await bench.run(ids);
  expect(bench.bugs).toEqual([]);
  expect(await shown(ids)).toMatchObject(decoded);
  expect(completed(bench.changes)).toMatchObject(decoded);
  const [ready, ...more] = readyIn(bench.changes);
  expect(ready?.data).toMatchObject({
    recording: { state: "stored", duration_ms: 13_000, channels: 2, codec: "pcm_mulaw", reason: null },
  });
  expect(ready && recordingIn(ready.after)).toMatchObject(decoded);
  expect(more).toEqual([]);

  // What is said otherwise now makes the numbers of its sound anew.
  await setup.retell(ids, { turns: [...words, ...turnsOf(["agent", "Gladly."])], isAdded: true });
  await bench.run(ids);
  expect(readyIn(bench.changes)).toHaveLength(1);
  expect(await shown(ids)).toMatchObject(decoded);
});

test("a recording that is a web page has failed, and the call says why", async () => {
  const bench = setup.bench();
  const ids = await recorded("page.wav", Buffer.from("<!doctype html><html><body>Sign in</body></html>"));
  await bench.run(ids);
  const failed = { status: "failed", reason: "recording_refused", url: `${host.url}/page.wav`, codec: null };
  expect(await shown(ids)).toMatchObject(failed);
  expect(completed(bench.changes)).toMatchObject(failed);
  expect(readyIn(bench.changes)).toEqual([]);
});

test("a recording that cannot be decoded is told of once all the same, without numbers and with the reason", async () => {
  const bench = setup.bench();
  const broken = Buffer.concat([wav.subarray(0, 12), Buffer.alloc(400, 7)]);
  const ids = await recorded("broken.wav", broken);
  await bench.run(ids);
  const reason = "recording_unreadable";
  expect(readyIn(bench.changes).map(({ data }) => data)).toMatchObject([
    {
      recording: {
        state: "stored",
        codec: null,
        duration_ms: null,
        channels: null,
        reason,
        detail: expect.any(String),
      },
    },
  ]);
  expect(await shown(ids)).toMatchObject({ status: "stored", codec: null, duration_ms: null, reason });
});

test("a recording that comes after call.completed is shown as well; one that was erased is not there any more", async () => {
  const bench = setup.bench();
  const ids = await recorded("late.wav", wav);
  host.serve((_request, response) => response.writeHead(503).end());
  await bench.run(ids);
  expect(completed(bench.changes)).toMatchObject({ status: "available", duration_ms: null });
  host.serve((_request, response) => response.writeHead(200).end(wav));
  await setup.clock.advance(60_000);
  await bench.run(ids);
  expect(await shown(ids)).toMatchObject(decoded);
  expect(readyIn(bench.changes)).toHaveLength(1);
  await setup.db.inTransaction([ids.tenantId], (tx) => forgetRecordings(tx, ids.tenantId, [ids.callId]));
  await bench.run(ids);
  expect(await shown(ids)).toMatchObject({ status: "absent", reason: "erased", duration_ms: null });
});
