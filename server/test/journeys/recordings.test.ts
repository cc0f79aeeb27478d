import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { known, startTestApp, type TestApp } from "../harness/app.ts";
import { knownWav as wav } from "../harness/audio/known-call.ts";
import { makeCustomer } from "../harness/customer.ts";
import { fixture } from "../harness/fixture.ts";
import { type RecordingHost, startRecordingHost } from "../harness/recording-host.ts";

let app: TestApp;
let host: RecordingHost;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), "recordings-"));
  app = await startTestApp({ AFTERCALL_DATA_DIR: dataDir });
  host = await startRecordingHost();
  host.serve((_request, response) => response.writeHead(200).end(wav));
});
afterAll(async () => {
  await host.close();
  await app.stop();
  await rm(dataDir, { recursive: true });
});

test("a recording that a provider announces is fetched, decoded, listed, drawn, played by a link, and erased with its call", async () => {
  const customer = await makeCustomer(app);
  const vapi = await customer.connect("vapi");
  const report = fixture("vapi", "real/end-of-call-report.json").replaceAll(
    /"https?:[^"]+\.(?:wav|mp3)[^"]*"/g,
    JSON.stringify(`${host.url}/stereo.wav`),
  );
  expect((await vapi.own(report)).status).toBe(200);
  await customer.settled();

  const [call] = await customer.calls();
  const { data } = await customer.get(`/v1/calls/${call?.id}/recordings`);
  expect(data).toMatchObject([
    {
      state: "stored",
      sha256: createHash("sha256").update(wav).digest("hex"),
      codec: "pcm_mulaw",
      channels: 2,
      duration_ms: 13_000,
    },
  ]);
  const [recording] = data;
  expect(await customer.get(`/v1/recordings/${recording.id}`)).toEqual(recording);
  const peaks = await customer.get(`/v1/recordings/${recording.id}/peaks?points=13`);
  expect(peaks).toMatchObject({ bucket_ms: 1_000, channels: [{ length: 26 }, { length: 26 }] });

  const { url } = await customer.post(`/v1/recordings/${recording.id}/link`, {});
  expect(url.startsWith(`${known.publicUrl}/recordings/`)).toBe(true);
  const played = await fetch(url.replace(known.publicUrl, app.url), { headers: { range: "bytes=0-3" } });
  expect([played.status, await played.text()]).toEqual([206, "RIFF"]);

  expect((await customer.ask("DELETE", `/v1/calls/${call?.id}?reason=asked`)).status).toBeLessThan(300);
  expect((await fetch(url.replace(known.publicUrl, app.url))).status).toBe(404);
  expect(await customer.get(`/v1/recordings/${recording.id}`)).toMatchObject({ state: "deleted", sha256: null });
});
