import { readJson, readJsonObject } from "../json.ts";
import type { CallEvent, ParseInput } from "../provider.ts";
import { callEvent } from "../provider.ts";
import { below, type ListedPage, type Pull, pulledWeight, type PullInput, type PullRequest } from "../pull.ts";
import { aliasOf, keyOf, listOf, objectAt, requiredId, textOf, timeOf, wordOf } from "../read.ts";
import { nameOf, secretOf } from "../recording.ts";
import { endHeard, progress } from "./events.ts";
import { endedReasonOf, factsOf, guessesOf } from "./facts.ts";
import { momentsOfReport } from "./moments.ts";
import type { VapiMessage } from "./payload.ts";
import type { VapiSetup } from "./setup.ts";
import { conversationOf } from "./transcript.ts";

/** Vapi's API: `GET /call/:id` and `GET /call` (https://docs.vapi.ai/api-reference/calls/get). */
export const pull: Pull<VapiSetup> = {
  slot: "api_key",
  call(input) {
    const id = nameOf(input.aliases, "vapi_call");
    const request = id === null ? null : ask(input, `/call/${encodeURIComponent(id)}`);
    return request ? [request] : [];
  },
  read,
  list: (input) => ask(input, `/call?limit=${pageCalls}&createdAtGt=${isoOf(input.sinceMs)}`),
  readList,
};

const pageCalls = 100;

/** The call as Vapi keeps it says what its report said: the same names, in the call instead of beside it. */
function read({ request }: ParseInput<VapiSetup>): CallEvent[] {
  const call = readJsonObject(request.body);
  const id = requiredId(call["id"], "id");
  const word = wordOf(call["status"]) ?? "";
  const isOver = word === "ended";
  const status = progress.get(word);
  const at = timeOf(call["updatedAt"]);
  const said: VapiMessage = {
    type: "call",
    id: null,
    callId: id,
    at,
    message: call,
    call,
    artifact: objectAt(call["artifact"]),
  };
  return [
    callEvent({
      key: keyOf("pulled", id, word, endedReasonOf(said), isOver ? textOf(call["updatedAt"]) : null),
      type: `pulled.${word || "call"}`.slice(0, 200),
      occurredAt: isOver ? (timeOf(call["endedAt"]) ?? at) : at,
      aliases: [...aliasOf("vapi_call", id), ...aliasOf("call_sid", call["phoneCallProviderId"])],
      isProcessable: isOver || status !== undefined,
      heard: isOver ? endHeard(said) : status ? { status, outcome: null } : null,
      facts: factsOf(said),
      guesses: guessesOf(said),
      transcript: isOver ? conversationOf(said) : null,
      moments: isOver ? momentsOfReport(said) : [],
      isReport: isOver,
      weight: pulledWeight,
    }),
  ];
}

/** Newest first; what is older is asked for by the time of the last one. */
function readList(input: PullInput<VapiSetup> & { url: string; body: Buffer }): ListedPage {
  const items = listOf(readJson(input.body)).map(objectAt);
  const since = URL.parse(input.url)?.searchParams.get("createdAtGt");
  const last = textOf(items.at(-1)?.["createdAt"]);
  const isFull = items.length >= pageCalls && since && last;
  const older = `/call?limit=${pageCalls}&createdAtGt=${encodeURIComponent(since ?? "")}&createdAtLt=${encodeURIComponent(last ?? "")}`;
  return {
    calls: items.flatMap((call) => {
      const aliases = aliasOf("vapi_call", call["id"]);
      if (aliases.length === 0) return [];
      const isOver = wordOf(call["status"]) === "ended";
      const artifact = objectAt(call["artifact"]);
      const hasRecording = textOf(artifact["recordingUrl"] ?? call["recordingUrl"]) !== null;
      return [{ aliases, roomName: null, isOver, endedAt: timeOf(call["endedAt"]), hasRecording }];
    }),
    next: isFull ? ask(input, older) : null,
  };
}

function ask({ secrets, setup }: PullInput<VapiSetup>, path: string): PullRequest | null {
  const key = secretOf(secrets, "api_key");
  if (!key || setup.api.base_url === "") return null;
  const headers = { accept: "application/json", authorization: `Bearer ${key.value}` };
  return { method: "GET", url: below(setup.api.base_url, path), headers, body: null };
}

function isoOf(ms: number): string {
  return encodeURIComponent(new Date(ms).toISOString());
}
