import { readJsonObject } from "../json.ts";
import type { CallEvent, ParseInput } from "../provider.ts";
import { callEvent } from "../provider.ts";
import { below, type ListedPage, type Pull, pulledWeight, type PullInput, type PullRequest } from "../pull.ts";
import { aliasOf, durationOf, keyOf, listOf, objectAt, requiredId, textOf, timeOf, wordOf } from "../read.ts";
import { nameOf, secretOf } from "../recording.ts";
import { conversationAliases, conversationContent } from "./conversation.ts";
import type { ElevenLabsSetup } from "./setup.ts";

/** ElevenLabs' API: one conversation and their list (https://elevenlabs.io/docs/api-reference/conversations/get). */
export const pull: Pull<ElevenLabsSetup> = {
  slot: "api_key",
  call(input) {
    const id = nameOf(input.aliases, "conversation_id");
    const request = id === null ? null : ask(input, `/${encodeURIComponent(id)}`);
    return request ? [request] : [];
  },
  read,
  list: (input) => ask(input, `?page_size=100&call_start_after_unix=${Math.floor(input.sinceMs / 1000)}`),
  readList,
};

const over: ReadonlySet<string> = new Set(["done", "failed"]);
const underWay: ReadonlySet<string> = new Set(["in-progress", "processing"]);

/** The conversation as their API returns it is what `data` of the post-call webhook is. */
function read({ request }: ParseInput<ElevenLabsSetup>): CallEvent[] {
  const data = readJsonObject(request.body);
  const conversationId = requiredId(data["conversation_id"], "conversation_id");
  const word = wordOf(data["status"]) ?? "";
  const message = { type: "conversation", at: null, timestamp: null, conversationId, data };
  const content = over.has(word) ? conversationContent(message) : {};
  const metadata = objectAt(data["metadata"]);
  const startedAt = timeOf(metadata["start_time_unix_secs"]);
  return [
    callEvent({
      key: keyOf("pulled", conversationId, word),
      type: `pulled.${word || "conversation"}`.slice(0, 200),
      occurredAt: content.facts?.ended_at ?? startedAt,
      aliases: [...aliasOf("conversation_id", conversationId), ...conversationAliases(message)],
      isProcessable: over.has(word) || underWay.has(word) || word === "initiated",
      heard: underWay.has(word) ? { status: "in_progress", outcome: null } : null,
      ...content,
      weight: pulledWeight,
    }),
  ];
}

function readList(input: PullInput<ElevenLabsSetup> & { url: string; body: Buffer }): ListedPage {
  const page = readJsonObject(input.body);
  const cursor = page["has_more"] === true ? textOf(page["next_cursor"]) : null;
  const since = URL.parse(input.url)?.searchParams.get("call_start_after_unix") ?? "0";
  const further = `?page_size=100&call_start_after_unix=${encodeURIComponent(since)}&cursor=${encodeURIComponent(cursor ?? "")}`;
  return {
    calls: listOf(page["conversations"]).flatMap((item) => {
      const call = objectAt(item);
      const aliases = aliasOf("conversation_id", call["conversation_id"]);
      if (aliases.length === 0) return [];
      const startedAt = timeOf(call["start_time_unix_secs"]);
      const lasted = durationOf(call["call_duration_secs"], "s");
      const endedAt = startedAt !== null && lasted !== null ? startedAt + lasted : null;
      return [
        { aliases, roomName: null, isOver: over.has(wordOf(call["status"]) ?? ""), endedAt, hasRecording: false },
      ];
    }),
    next: cursor === null ? null : ask(input, further),
  };
}

function ask({ secrets, setup }: PullInput<ElevenLabsSetup>, rest: string): PullRequest | null {
  const key = secretOf(secrets, "api_key");
  if (!key || setup.api.base_url === "") return null;
  const headers = { accept: "application/json", "xi-api-key": key.value };
  return { method: "GET", url: below(setup.api.base_url, `/v1/convai/conversations${rest}`), headers, body: null };
}
