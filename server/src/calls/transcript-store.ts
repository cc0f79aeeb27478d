import { createHash } from "node:crypto";

import type { EngineRef } from "@aftercall/contract/analysis/engine.ts";
import type { TranscriptQuality } from "@aftercall/contract/call-transcript.ts";
import type { Transcript } from "@aftercall/contract/call.ts";

import type { Tx } from "#/db/transaction.ts";
import { jsonbText } from "#/kernel/jsonb.ts";

/** A transcript with where it is from. It never changes: a better one is another one. */
export type KeptTranscript = {
  readonly id: string;
  /** The provider that sent it, `stt`, `human_edit`, `redaction`, `import`. */
  readonly origin: string;
  readonly redaction: "none" | "masked";
  /** The transcript that it was made from. */
  readonly parentId: string | null;
  /** Of every word and time in it, before masking where it was masked in its place: equal digests say the same. */
  readonly digest: string;
  readonly transcript: Transcript;
};

export type NewTranscript = Transcript & {
  readonly tenantId: string;
  readonly id: string;
  readonly callId: string;
  readonly origin: string;
  readonly parentId: string | null;
  readonly engine: EngineRef | null;
  readonly timing: "word" | "turn" | "start_only" | "none" | null;
  readonly redaction: "none" | "masked";
  readonly quality: Readonly<Record<string, unknown>> | null;
};

type Row = Transcript & {
  id: string;
  origin: string;
  redaction: "none" | "masked";
  parent_id: string | null;
  digest: string | null;
};

const columns = "t.id, t.origin, t.redaction, t.parent_id, t.quality->>'digest' as digest, t.language, t.text, t.turns";

/** A transcript by its own id, or by the event that brought it; null when there is none of that name. */
export async function loadTranscript(
  tx: Tx,
  tenantId: string,
  by: { readonly id: string } | { readonly eventId: string },
): Promise<KeptTranscript | null> {
  const rows =
    "id" in by
      ? await tx.rows<Row>(
          `select ${columns} from transcripts t where t.tenant_id = $1 and t.id = $2`,
          [tenantId, by.id],
          "calls.transcript-by-id",
        )
      : await tx.rows<Row>(
          `select ${columns} from transcripts t where t.tenant_id = $1 and t.event_id = $2`,
          [tenantId, by.eventId],
          "calls.transcript-by-event",
        );
  return rows[0] ? keptOf(rows[0]) : null;
}

/** Transcripts by the event that brought each. */
export async function transcriptsOfEvents(
  tx: Tx,
  tenantIds: readonly string[],
  eventIds: readonly string[],
): Promise<Map<string, KeptTranscript>> {
  if (eventIds.length === 0) return new Map();
  const rows = await tx.rows<Row & { event_id: string }>(
    `select t.*, e.id as event_id from unnest($2::uuid[]) as e (id)
      cross join lateral (select ${columns} from transcripts t where t.tenant_id = any ($1::uuid[]) and t.event_id = e.id limit 1) as t`,
    [tenantIds, eventIds],
    "calls.transcripts-of-events",
  );
  return new Map(rows.map(({ event_id, ...row }) => [event_id, keptOf(row)]));
}

/**
 * The transcript of a call that counts: what its pipeline settled on, else the best one its provider sent. A call that was
 * merged away has none of its own. None either where it had to be masked and could not be.
 */
export async function loadCurrentTranscript(tx: Tx, tenantId: string, callId: string): Promise<KeptTranscript | null> {
  const rows = await tx.rows<Row>(
    `select ${columns} from calls c
       left join pipelines p on p.tenant_id = c.tenant_id and p.call_id = c.id
       join transcripts t on t.tenant_id = c.tenant_id
        and case when p.transcript_id is null then t.event_id = (c.state->'transcript'->>0)::uuid else t.id = p.transcript_id end
      where c.tenant_id = $1 and c.id = $2 and not coalesce(p.is_withheld, false)`,
    [tenantId, callId],
  );
  return rows[0] ? keptOf(rows[0]) : null;
}

/** Who made a transcript; `quality` where a speech engine did. */
export type Making = {
  readonly origin: string;
  readonly engine: EngineRef | null;
  readonly quality: TranscriptQuality | null;
};

/** Null when it is gone. */
export async function makingOf(tx: Tx, tenantId: string, id: string): Promise<Making | null> {
  const [row] = await tx.rows<Making>(
    `select origin, engine, case when quality->'flags' is not null then quality end as quality
       from transcripts where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
  return row ?? null;
}

/** Keeps a transcript that no event brought. */
export async function insertTranscript(tx: Tx, row: NewTranscript): Promise<void> {
  const { tenantId, id, callId, origin, language, text, turns, engine, parentId, timing, redaction, quality } = row;
  await tx.run(
    `insert into transcripts (tenant_id, id, call_id, event_id, origin, language, text, turns, engine, parent_id, timing, redaction, quality)
     values ($1, $2, $3, null, $4, $5, $6::json->>0, $7, $8, $9, $10, $11, $12)
     on conflict (tenant_id, id) do nothing`,
    [
      tenantId,
      id,
      callId,
      origin,
      language,
      jsonbText([text]),
      jsonbText(turns),
      engine && JSON.stringify(engine),
      parentId,
      timing,
      redaction,
      quality && jsonbText(quality),
    ],
  );
}

/**
 * Puts masked words into the place of a transcript's own, for good. Its digest stays the one of what it said, so that nothing is
 * made anew because of it.
 */
export async function overwriteTranscript(
  tx: Tx,
  { tenantId, id, digest, masked }: { tenantId: string; id: string; digest: string; masked: Transcript },
): Promise<void> {
  const { text, turns } = masked;
  await tx.run(
    `update transcripts set text = $3::json->>0, turns = $4, redaction = 'masked', quality = json_build_object('digest', $5::text)
      where tenant_id = $1 and id = $2`,
    [tenantId, id, jsonbText([text]), jsonbText(turns), digest],
  );
}

function keptOf({ id, origin, redaction, parent_id, digest, ...transcript }: Row): KeptTranscript {
  return { id, origin, redaction, parentId: parent_id, digest: digest ?? digestOf(transcript), transcript };
}

/** The digest of what a transcript says, in hex. */
export function digestOf({ language, text, turns }: Transcript): string {
  return createHash("sha256")
    .update(JSON.stringify([language, text, turns]))
    .digest("hex");
}
