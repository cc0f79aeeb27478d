import { expect, test } from "vitest";

import { elevenlabs } from "./elevenlabs/index.ts";
import { livekit } from "./livekit/index.ts";
import type { Alias, Secret } from "./provider.ts";
import { expiryIn, type RecordingAsk, type RecordingInput } from "./recording.ts";
import { twilio } from "./twilio/index.ts";
import { vapi } from "./vapi/index.ts";
import { wonderful } from "./wonderful/index.ts";

const account = `AC${"0".repeat(32)}`;
const recording = `/2010-04-01/Accounts/${account}/Recordings/RE1.wav`;
const token: Secret = { slot: "auth_token", keyId: account, value: "token" };
const basic = { authorization: `Basic ${Buffer.from(`${account}:token`).toString("base64")}` };

type Given<Setup> = Partial<Omit<RecordingInput<Setup>, "info" | "setup">> & { url?: string | null; channels?: number };

function input<Setup>(setup: Setup, { url, channels = 1, ...given }: Given<Setup>): RecordingInput<Setup> {
  const info = url === undefined ? null : { status: "available" as const, url, duration_ms: null, channels };
  return { info, body: null, aliases: [], secrets: [], setup, ...given };
}

const named = (kind: Alias["kind"], value: string) => [{ kind, value }];
const credentialsOf = (asks: readonly RecordingAsk[] | undefined) =>
  asks?.map((ask) => ("credentials" in ask ? ask.credentials : null));

test.each([
  [`https://api.twilio.com${recording}`, basic],
  [`https://api.dublin.ie1.twilio.com${recording}`, basic],
  [`http://api.twilio.com${recording}`, {}],
  [`https://api.twilio.com.example.com${recording}`, {}],
  [`https://example.com/api.twilio.com${recording}`, {}],
  [`https://apixtwilio.com${recording}`, {}],
  [`https://api.twilio.com:8443${recording}`, {}],
])("Twilio: credentials for %s", (url, credentials) => {
  const asks = twilio.recordings?.(input(twilio.setup.parse({}), { url, secrets: [token] }));
  expect(credentialsOf(asks)).toEqual([credentials]);
});

test("Twilio: the account is read from the address where the source does not name it", () => {
  const secrets = [{ ...token, keyId: null }];
  const asks = twilio.recordings?.(
    input(twilio.setup.parse({}), { url: `https://api.twilio.com${recording}`, secrets }),
  );
  expect(credentialsOf(asks)).toEqual([basic]);
});

test("Twilio: without a callback the account is asked for the recordings of the call", () => {
  const setup = twilio.setup.parse({});
  const [ask] = twilio.recordings?.(input(setup, { aliases: named("call_sid", "CA1"), secrets: [token] })) ?? [];
  if (ask?.kind !== "lookup") throw new Error("no lookup");
  expect(ask.url).toBe(`https://api.twilio.com/2010-04-01/Accounts/${account}/Calls/CA1/Recordings.json`);
  const found = (list: object) => ask.read(list).map((way) => "url" in way && way.url);
  const uri = recording.replace(".wav", ".json");
  expect(found({ recordings: [{ status: "processing", uri }] })).toEqual([]);
  expect(found({ recordings: [{ status: "completed", channels: 2, uri }] })).toEqual([
    `https://api.twilio.com${recording}?RequestedChannels=2`,
    `https://api.twilio.com${recording}`,
  ]);
  expect(found({ recordings: [{ status: "completed", uri: "//evil.example.com/x.json" }] })).toEqual([]);
  expect(ask.read("nonsense")).toEqual([]);
});

test("Vapi: both voices apart before one mixed channel, signed before open, its API last, and no credentials on the way", () => {
  const artifact = {
    recordingUrl: "https://storage.vapi.ai/mono.wav",
    stereoRecordingUrl: "https://storage.vapi.ai/stereo.wav",
    presignedStereoUrl: "https://signed.example.com/stereo.wav?X-Amz-Signature=x",
    presignedUrlsExpiresAt: "2026-11-21T12:00:00.000Z",
  };
  const asks = vapi.recordings?.(
    input(vapi.setup.parse({}), {
      url: "https://storage.vapi.ai/mono.wav",
      body: Buffer.from(JSON.stringify({ message: { type: "end-of-call-report", artifact } })),
      aliases: named("vapi_call", "call-1"),
      secrets: [{ slot: "api_key", keyId: null, value: "private" }],
    }),
  );
  expect(asks).toMatchObject([
    { url: artifact.presignedStereoUrl, expiresAt: Date.UTC(2026, 10, 21, 12), credentials: {} },
    { url: artifact.stereoRecordingUrl, credentials: {} },
    { url: artifact.recordingUrl, credentials: {} },
    { kind: "lookup", url: "https://api.vapi.ai/call/call-1", credentials: { authorization: "Bearer private" } },
  ]);
});

test("ElevenLabs: the audio of the event, else the API with its key", () => {
  const body = Buffer.from(JSON.stringify({ data: { full_audio: Buffer.from("ID3").toString("base64") } }));
  const aliases = named("conversation_id", "conv_1");
  const secrets = [{ slot: "api_key", keyId: null, value: "xi" }];
  const asks = elevenlabs.recordings?.(input(elevenlabs.setup.parse({}), { url: null, body, aliases, secrets }));
  expect(asks).toMatchObject([
    { kind: "bytes", bytes: Buffer.from("ID3") },
    { url: "https://api.elevenlabs.io/v1/convai/conversations/conv_1/audio", credentials: { "xi-api-key": "xi" } },
  ]);
  expect(elevenlabs.recordings?.(input(elevenlabs.setup.parse({}), { url: null, aliases }))).toEqual([]);
});

test("LiveKit: the store's credentials go to the store of the source alone, and the agent's channel is known", () => {
  const setup = livekit.setup.parse({ recordings: { endpoint: "https://s3.example.com", region: "eu-1" } });
  const secrets = [{ slot: "recordings", keyId: "access", value: "secret" }];
  const body = Buffer.from(JSON.stringify({ egressInfo: { roomComposite: { audioMixing: "DUAL_CHANNEL_AGENT" } } }));
  const ask = (url: string) => livekit.recordings?.(input(setup, { url, body, secrets }))?.[0];
  const store = { region: "eu-1", accessKeyId: "access", secretAccessKey: "secret" };
  expect(ask("https://calls.s3.example.com/a.ogg")).toMatchObject({ store, channelMap: ["agent", "customer"] });
  expect(ask("s3://calls/a.ogg")).toMatchObject({ url: "https://s3.example.com/calls/a.ogg", store });
  expect(ask("https://s3.example.com.evil.example/a.ogg")).toMatchObject({ store: null });
  expect(ask("http://s3.example.com/a.ogg")).toMatchObject({ store: null });
  expect(ask("/out/a.ogg")).toBeUndefined();
});

test("Wonderful: the path of the settings, with the key in its header", () => {
  const api = {
    base_url: "https://t.api.example.com/",
    recording_path: "/v1/c/{communication_id}/audio",
    auth_prefix: "Bearer ",
  };
  const aliases = named("communication_id", "a/b");
  const secrets = [{ slot: "api_key", keyId: null, value: "key" }];
  const asks = wonderful.recordings?.(input(wonderful.setup.parse({ api }), { aliases, secrets }));
  expect(asks).toMatchObject([
    { url: "https://t.api.example.com/v1/c/a%2Fb/audio", credentials: { "x-api-key": "Bearer key" } },
  ]);
  expect(wonderful.recordings?.(input(wonderful.setup.parse({}), { aliases, secrets }))).toEqual([]);
});

test.each([
  ["https://b.s3.amazonaws.com/k?X-Amz-Date=20261121T100000Z&X-Amz-Expires=3600", Date.UTC(2026, 10, 21, 11)],
  ["https://storage.googleapis.com/b/k?X-Goog-Date=20261121T100000Z&X-Goog-Expires=60", Date.UTC(2026, 10, 21, 10, 1)],
  ["https://d.cloudfront.net/k?Expires=1795255200&Signature=x", 1_795_255_200_000],
  ["https://example.com/k?Expires=soon", null],
  ["https://example.com/k", null],
  ["no address", null],
])("%s stops working at %s", (url, at) => {
  expect(expiryIn(url)).toBe(at);
});
