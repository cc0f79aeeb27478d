import { readJsonObject } from "../json.ts";
import { objectAt } from "../read.ts";
import { fileAt, nameOf, type RecordingAsk, type RecordingInput, secretOf, storedAudioIn } from "../recording.ts";
import type { ElevenLabsSetup } from "./setup.ts";

/**
 * An ElevenLabs recording comes in the event itself (`post_call_audio`, base64); else it is fetched from their API, where a key
 * is set (https://elevenlabs.io/docs/api-reference/conversations/get-audio).
 */
export function recordingAsks({ body, aliases, secrets }: RecordingInput<ElevenLabsSetup>): RecordingAsk[] {
  const audio = body && fieldIn(body);
  const bytes = typeof audio === "string" ? Buffer.from(audio, "base64") : null;
  const stored = storedAudioIn(audio);
  const key = secretOf(secrets, "api_key");
  const conversation = nameOf(aliases, "conversation_id");
  return [
    ...(bytes ? [{ kind: "bytes", bytes, channelMap: [] } as const] : []),
    ...(stored ? [{ kind: "stored", stored, channelMap: [] } as const] : []),
    ...(key && conversation ? [atApi(conversation, key.value)] : []),
  ];
}

function atApi(conversation: string, key: string): RecordingAsk {
  const url = `https://api.elevenlabs.io/v1/convai/conversations/${encodeURIComponent(conversation)}/audio`;
  return fileAt(url, { credentials: { "xi-api-key": key } });
}

function fieldIn(body: Buffer): unknown {
  try {
    return objectAt(readJsonObject(body)["data"])["full_audio"];
  } catch {
    return null;
  }
}
