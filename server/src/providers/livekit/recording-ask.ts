import type { TurnRole } from "@aftercall/contract/call.ts";

import { readJsonObject } from "../json.ts";
import { objectAt, textOf } from "../read.ts";
import { fileAt, type RecordingAsk, type RecordingInput, secretOf } from "../recording.ts";
import type { LivekitSetup } from "./setup.ts";

/**
 * Where the file of an egress is: an object of the customer's own store, usually private. The store's credentials go to the
 * store that the source names and to no other host.
 */
export function recordingAsks({ info, body, secrets, setup }: RecordingInput<LivekitSetup>): RecordingAsk[] {
  const { endpoint, region } = setup.recordings;
  const url = info?.url && urlOf(info.url, endpoint);
  if (!url) return [];
  const secret = secretOf(secrets, "recordings");
  const isOwn = endpoint !== "" && isBelow(url, endpoint);
  const store = isOwn && secret?.keyId ? { region, accessKeyId: secret.keyId, secretAccessKey: secret.value } : null;
  return [fileAt(url, { store, channelMap: body ? channelMapIn(body) : [] })];
}

/** `s3://bucket/key`, or a URL. */
function urlOf(location: string, endpoint: string): string | null {
  const object = /^(?:s3|gs):\/\/(.+)$/.exec(location)?.[1];
  if (object !== undefined) return endpoint === "" ? null : `${endpoint.replace(/\/+$/, "")}/${object}`;
  return /^https?:\/\//i.test(location) ? location : null;
}

/** The host of the endpoint, or a bucket as a name below it. */
function isBelow(text: string, endpoint: string): boolean {
  const [url, store] = [URL.parse(text), URL.parse(endpoint)];
  if (!url || !store || url.protocol !== store.protocol || url.port !== store.port) return false;
  return url.hostname === store.hostname || url.hostname.endsWith(`.${store.hostname}`);
}

/** With DUAL_CHANNEL_AGENT the agent is on the left, everybody else on the right (livekit_egress.proto, AudioMixing). */
function channelMapIn(body: Buffer): readonly TurnRole[] {
  try {
    const egress = objectAt(readJsonObject(body)["egressInfo"]);
    const mixing = textOf(objectAt(egress["roomComposite"])["audioMixing"]);
    return mixing === "DUAL_CHANNEL_AGENT" ? ["agent", "customer"] : [];
  } catch {
    return [];
  }
}
