import type { Transcript, Turn } from "@aftercall/contract/call.ts";

import type { JsonObject } from "../json.ts";
import type { Secret } from "../provider.ts";
import { listOf, objectAt, objectOf, textOf, timeOf, wordOf } from "../read.ts";
import { usable } from "../signatures/secret.ts";
import { transcriptOf } from "../transcript.ts";
import type { WonderfulSetup } from "./setup.ts";

type Api = WonderfulSetup["api"];

/** What to fetch a call's transcript with; null where no Communication API is set. The API key is the source's secret `api_key`. */
export function transcriptRequest(
  communicationId: string,
  api: Api,
  secrets: readonly Secret[],
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } | null {
  if (api.base_url === "") return null;
  const path = api.transcript_path.replaceAll("{communication_id}", encodeURIComponent(communicationId));
  const key = usable(secrets, "api_key")[0];
  return {
    url: api.base_url.replace(/\/+$/, "") + path,
    headers: { accept: "application/json", ...(key && { [api.auth_header]: api.auth_prefix + key.value }) },
  };
}

/** A call as the Communication API recorded it. */
export type Conversation = {
  readonly transcript: Transcript;
  readonly tools: readonly ToolEvent[];
  /** Epoch milliseconds of the first and the last word. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
};

/** Something the agent did while it talked. */
export type ToolEvent = {
  readonly name: string;
  readonly description: string | null;
  readonly params: JsonObject;
  readonly output: string | null;
  /** Milliseconds from the start of the call. */
  readonly at_ms: number | null;
};

/** Reads the API's answer. Null while it has no words yet: the transcript is written some time after the call. */
export function readTranscript(answer: unknown, api: Api): Conversation | null {
  const records = listOf(api.records === "" ? answer : objectAt(answer)[api.records]).flatMap((item) => {
    const record = objectOf(item);
    return record ? [recordOf(record, api)] : [];
  });
  const inOrder = records.toSorted((a, b) => startOf(a) - startOf(b));
  const startedAt = earliest(inOrder.map(({ start }) => start));
  const transcript = transcriptOf({ turns: inOrder.flatMap((record) => turnOf(record, startedAt)) });
  if (!transcript) return null;
  return {
    transcript,
    tools: inOrder.flatMap((record) => toolOf(record, startedAt)),
    startedAt,
    endedAt: latest(inOrder.map(({ start, end }) => end ?? start)),
  };
}

/** A record without a time stays behind the others. */
function startOf({ start }: Spoken): number {
  return start ?? Number.MAX_SAFE_INTEGER;
}

type Spoken = {
  readonly role: Turn["role"];
  readonly text: string | null;
  readonly start: number | null;
  readonly end: number | null;
  readonly tool: JsonObject | null;
};

function recordOf(record: JsonObject, api: Api): Spoken {
  return {
    role: roleOf(wordOf(record[api.speaker]) ?? "", api),
    text: textOf(record[api.text]),
    start: timeOf(record[api.start_time]),
    end: timeOf(record[api.end_time]),
    tool: objectOf(record[api.tool_details]),
  };
}

/** Feedback is about the agent, so whoever was trained is the agent. */
function roleOf(speaker: string, { trainee_speaker: trainee }: Api): Turn["role"] {
  if (speaker === trainee.toLowerCase()) return "agent";
  return speaker === "agent" ? "customer" : (roleBySpeaker.get(speaker) ?? "unknown");
}

const roleBySpeaker: ReadonlyMap<string, Turn["role"]> = new Map([
  ["customer", "customer"],
  ["system", "system"],
  ["human_agent", "human_agent"],
]);

/** A record with a function call and no words is no turn. */
function turnOf({ role, text, start, end }: Spoken, startedAt: number | null): Turn[] {
  if (text === null) return [];
  return [{ role, text, start_ms: since(startedAt, start), end_ms: since(startedAt, end) }];
}

function toolOf({ tool, start }: Spoken, startedAt: number | null): ToolEvent[] {
  const name = textOf(tool?.["function_name"]);
  if (!tool || name === null) return [];
  return [
    {
      name,
      description: textOf(tool["description"]),
      params: objectAt(tool["params"]),
      output: outputText(tool["output"]),
      at_ms: since(startedAt, start),
    },
  ];
}

function outputText(output: unknown): string | null {
  return typeof output === "object" && output !== null ? JSON.stringify(output) : textOf(output);
}

function since(start: number | null, at: number | null): number | null {
  return start === null || at === null ? null : Math.max(0, at - start);
}

function earliest(times: readonly (number | null)[]): number | null {
  return times.reduce((least, at) => (least === null || (at !== null && at < least) ? at : least), null);
}

function latest(times: readonly (number | null)[]): number | null {
  return times.reduce((most, at) => (most === null || (at !== null && at > most) ? at : most), null);
}
