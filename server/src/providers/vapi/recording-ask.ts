import { readJsonObject } from "../json.ts";
import { objectAt, objectOf, textOf, timeOf } from "../read.ts";
import { fileAt, nameOf, type RecordingAsk, type RecordingInput, secretOf } from "../recording.ts";
import type { VapiSetup } from "./setup.ts";

/**
 * Where a Vapi recording is fetched. The report names several forms of it: both voices apart are worth more than one mixed
 * channel, and a signed URL works where the bucket is private, for a while. Last, Vapi's API is asked for fresh ones, where a key
 * is set. None of these URLs takes credentials, so none gets any.
 */
export function recordingAsks({ info, body, aliases, secrets }: RecordingInput<VapiSetup>): RecordingAsk[] {
  const said = body ? objectAt(parsed(body)) : {};
  // A report says it in `message`; a call that was asked for is itself what says it.
  const named = recordingsIn(objectOf(said["message"]) ?? said);
  const kept = info?.url ? [fileAt(info.url)] : [];
  const key = secretOf(secrets, "api_key");
  const call = nameOf(aliases, "vapi_call");
  if (!info) return [];
  return [...distinct([...named, ...kept]), ...(key && call ? [lookup(call, key.value)] : [])];
}

function lookup(call: string, key: string): RecordingAsk {
  return {
    kind: "lookup",
    url: `https://api.vapi.ai/call/${encodeURIComponent(call)}`,
    credentials: { authorization: `Bearer ${key}` },
    read: (answer) => distinct(recordingsIn(objectAt(answer))),
  };
}

type Ask = ReturnType<typeof fileAt>;

/** The forms in `artifact`, the best first. Signed ones end at `presignedUrlsExpiresAt`. */
function recordingsIn(message: Readonly<Record<string, unknown>>): Ask[] {
  const artifact = objectAt(message["artifact"]);
  const recording = objectAt(artifact["recording"]);
  const expiresAt = timeOf(artifact["presignedUrlsExpiresAt"]);
  const signed = (url: unknown) => [textOf(url)].flatMap((text) => (text ? [fileAt(text, { expiresAt })] : []));
  const open = (url: unknown) => [textOf(url)].flatMap((text) => (text ? [fileAt(text)] : []));
  return [
    ...signed(artifact["presignedStereoUrl"]),
    ...open(artifact["stereoRecordingUrl"]),
    ...open(recording["stereoUrl"]),
    ...signed(artifact["presignedMonoUrl"]),
    ...open(artifact["recordingUrl"]),
    ...open(objectAt(recording["mono"])["combinedUrl"]),
  ];
}

function distinct(asks: readonly Ask[]): Ask[] {
  return [...new Map(asks.map((ask) => [ask.url, ask])).values()];
}

function parsed(body: Buffer): unknown {
  try {
    return readJsonObject(body);
  } catch {
    return null;
  }
}
