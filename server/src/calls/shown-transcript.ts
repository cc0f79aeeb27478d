import type { CallTranscript } from "@aftercall/contract/call-transcript.ts";

import type { Tx } from "#/db/transaction.ts";

import { factOf } from "./project.ts";
import type { CallRecord } from "./record.ts";
import { loadCurrentTranscript, type Making, makingOf } from "./transcript-store.ts";

/** The transcript of a call that counts, with whose words these are; null where there is none. */
export async function shownTranscript(tx: Tx, { tenantId, id, state }: CallRecord): Promise<CallTranscript | null> {
  const current = await loadCurrentTranscript(tx, tenantId, id);
  if (!current) return null;
  const { origin, redaction, transcript, parentId } = current;
  const own = await makingOf(tx, tenantId, current.id);
  // What masks words has not made them.
  const making = origin === "redaction" && parentId ? await makingOf(tx, tenantId, parentId) : own;
  return {
    ...transcript,
    language: transcript.language ?? factOf(state, "language"),
    origin: isOurs(origin) ? origin : "provider",
    engine: making && engineOf(making),
    quality: making && qualityOf(making, redaction === "masked"),
  };
}

type Ours = Exclude<CallTranscript["origin"], "provider">;

function isOurs(origin: string): origin is Ours {
  return origin === "stt" || origin === "human_edit" || origin === "import" || origin === "redaction";
}

function engineOf({ origin, engine }: Making): CallTranscript["engine"] {
  if (!isOurs(origin)) return { kind: "provider", provider: origin, model: null };
  if (!engine || origin === "redaction") return null;
  const { kind, provider, model } = engine;
  return { kind, provider, model };
}

/** What was dropped may hold what had to be masked. */
function qualityOf({ quality }: Making, isMasked: boolean): CallTranscript["quality"] {
  if (!quality) return null;
  const { avg_confidence, avg_logprob, no_speech_prob_max, role_source, role_confidence, flags } = quality;
  const numbers = { avg_confidence, avg_logprob, no_speech_prob_max, role_source, role_confidence, flags };
  return { ...numbers, dropped_segments: isMasked ? null : quality.dropped_segments };
}
