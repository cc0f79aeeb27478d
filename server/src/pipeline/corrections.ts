import type { Actor, Handlers } from "@aftercall/contract/api.ts";
import type { Transcript, Turn } from "@aftercall/contract/call.ts";
import { toPublicId } from "@aftercall/contract/id.ts";
import type { correctionRoutes, EditTranscript } from "@aftercall/contract/routes/corrections.ts";

import { record as recordAudit } from "#/audit/record.ts";
import { loadCall } from "#/calls/store.ts";
import { insertTranscript, type KeptTranscript, loadCurrentTranscript } from "#/calls/transcript-store.ts";
import type { Tx } from "#/db/transaction.ts";
import { CallErased, Conflict, Invalid, NotFound } from "#/kernel/errors.ts";
import { presentRecording } from "#/recordings/present.ts";
import { refuseRestricted } from "#/recordings/restricted.ts";
import { loadRecording, setChannelMap } from "#/recordings/store.ts";

import { putEditInPlace } from "./edit-store.ts";
import type { PipelineRouteDeps } from "./routes.ts";

/** What people put right in calls. Everything that was made of what was wrong is made again; nothing is transcribed again. */
export function correctionHandlers({ db, ids, enqueueCalls }: PipelineRouteDeps): Handlers<typeof correctionRoutes> {
  return {
    async editTranscript({ tenant, actor, params, body }) {
      return db.inTransaction([tenant], async (tx) => {
        const call = await loadCall(tx, tenant, params.id);
        if (!call) throw new NotFound("Call");
        if (call.isErased) throw new CallErased();
        const current = await loadCurrentTranscript(tx, tenant, call.id);
        const transcript = edited(body, current?.transcript ?? null);
        await put(tx, { tenant, actor, callId: call.id, current, transcript });
        const detail = { turns: transcript.turns.length, changed: changedTurns(transcript, current) };
        const subject = toPublicId("call", call.id);
        // What was said stays in the call.
        const before = current && { origin: current.origin, turns: current.transcript.turns.length };
        const after = { origin: "human_edit", turns: transcript.turns.length };
        await recordAudit(tx, ids, { tenant, actor, action: "transcript.edited", subject, before, after, detail });
        return { ...transcript, origin: "human_edit" as const, engine: null, quality: null };
      });
    },

    async setChannelMap({ tenant, actor, params, body: { roles } }) {
      return db.inTransaction([tenant], async (tx) => {
        const row = await loadRecording(tx, tenant, params.id);
        if (!row) throw new NotFound("Recording");
        refuseRestricted(row, actor);
        if (row.channels === null || row.kind !== "original") {
          throw new Conflict("Only an original recording that was decoded has channels to name");
        }
        if (roles.length !== row.channels) {
          const detail = `The recording has ${row.channels} channels: name ${row.channels} roles`;
          throw new Invalid("The roles do not fit the recording", [{ pointer: "/roles", detail }]);
        }
        const after = await setChannelMap(tx, row, roles);
        const current = await loadCurrentTranscript(tx, tenant, row.call_id);
        const transcript = current && withRoles(current.transcript, roles);
        if (transcript) await put(tx, { tenant, actor, callId: row.call_id, current, transcript });
        else await enqueueCalls(tx, [{ tenantId: tenant, callId: row.call_id }]);
        await recordAudit(tx, ids, {
          tenant,
          actor,
          action: "recording.channels_named",
          subject: toPublicId("recording", row.id),
          before: presentRecording(row),
          after: presentRecording(after),
        });
        return presentRecording(after);
      });
    },
  };

  async function put(
    tx: Tx,
    given: {
      tenant: string;
      actor: Actor;
      callId: string;
      current: KeptTranscript | null;
      transcript: Transcript;
    },
  ): Promise<void> {
    const { tenant: tenantId, callId, current, transcript } = given;
    const id = ids.next();
    const isShown = current?.redaction !== "masked";
    if (!(await putEditInPlace(tx, { tenantId, callId, transcriptId: id, isShown }))) {
      throw new Conflict("Nothing is made of this call yet: what was said in it can be put right when it is over");
    }
    await insertTranscript(tx, {
      ...transcript,
      tenantId,
      id,
      callId,
      origin: "human_edit",
      parentId: current?.id ?? null,
      engine: null,
      timing: null,
      redaction: "none",
      quality: { edited_by: `${given.actor.kind}:${given.actor.id}` },
    });
    await enqueueCalls(tx, [{ tenantId, callId }]);
  }
}

/** What stays as it was keeps what is known of it: when it was said, on which channel, word by word. */
function edited({ turns: given, language }: EditTranscript, before: Transcript | null): Transcript {
  const turns = given.map(({ role, text, start_ms, end_ms }, i): Turn => {
    const old = before?.turns[i];
    const times = { start_ms: start_ms ?? old?.start_ms ?? null, end_ms: end_ms ?? old?.end_ms ?? null };
    return old?.text.trim() === text ? { ...old, role, ...times } : { role, text, ...times };
  });
  const text = turns.map((turn) => turn.text).join("\n");
  return { text, turns, language: language === undefined ? (before?.language ?? null) : language };
}

function changedTurns({ turns }: Transcript, current: KeptTranscript | null): number {
  const before = current?.transcript.turns ?? [];
  return turns.filter(({ role, text }, i) => before[i]?.text !== text || before[i]?.role !== role).length;
}

/** The same words by other speakers; null where the transcript does not say on which channel they were said. */
function withRoles(transcript: Transcript, roles: readonly Turn["role"][]): Transcript | null {
  let isOther = false;
  const turns = transcript.turns.map((turn) => {
    const role = turn.channel === undefined ? turn.role : (roles[turn.channel] ?? turn.role);
    isOther ||= role !== turn.role;
    return { ...turn, role };
  });
  return isOther ? { ...transcript, turns } : null;
}
