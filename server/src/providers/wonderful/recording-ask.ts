import { fileAt, nameOf, type RecordingAsk, type RecordingInput, secretOf } from "../recording.ts";
import type { WonderfulSetup } from "./setup.ts";

/** The recording of a communication, where a path for it is set; Wonderful publishes no reference. */
export function recordingAsks({ info, aliases, secrets, setup }: RecordingInput<WonderfulSetup>): RecordingAsk[] {
  const { base_url, recording_path, auth_header, auth_prefix } = setup.api;
  if (info?.url) return [fileAt(info.url)];
  const communication = nameOf(aliases, "communication_id");
  if (base_url === "" || recording_path === "" || !communication) return [];
  const path = recording_path.replaceAll("{communication_id}", encodeURIComponent(communication));
  const key = secretOf(secrets, "api_key");
  const credentials = key ? { [auth_header.toLowerCase()]: `${auth_prefix}${key.value}` } : {};
  return [fileAt(`${base_url.replace(/\/+$/, "")}${path}`, { credentials })];
}
