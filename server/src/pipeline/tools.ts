import { createHash } from "node:crypto";

import type { EngineRef } from "@aftercall/contract/analysis/engine.ts";

import { factOf } from "#/calls/project.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import type { Engines } from "#/engines/engines.ts";
import { Retry } from "#/models/failure.ts";
import type { Analyst } from "#/models/language/answer.ts";
import type { LanguageEngine } from "#/models/language/engine.ts";
import type { KeptHearings, Transcriber } from "#/models/speech/answer.ts";
import type { SpeechEngine } from "#/models/speech/engine.ts";
import type { Heard } from "#/models/speech/recognise.ts";
import type { RecordingDeps } from "#/recordings/deps.ts";
import { fetchRecording } from "#/recordings/fetch.ts";
import { measureRecording } from "#/recordings/measure.ts";
import { withRecordingFile } from "#/recordings/read.ts";
import { redactRecording } from "#/recordings/redact.ts";

import { type AnswerKey, findAnswer, keepAnswer } from "./answer-store.ts";
import { createAskModel } from "./ask-model.ts";
import type { Dossier, DossierEngines } from "./dossier.ts";
import type { Tools, TranscribeRecording } from "./step.ts";
import { channelRoles } from "./steps/measure-audio.ts";

export type ToolDeps = {
  readonly db: Db;
  readonly engines: Engines;
  readonly analystOf: (engine: LanguageEngine) => Analyst;
  readonly transcriberOf: (engine: SpeechEngine) => Transcriber;
  readonly recordings: RecordingDeps;
  /** IANA name, ISO 3166 code. */
  readonly timeZone: string;
  readonly country: string | null;
};

/** What the steps of one call work with: everything but the time and the limits. */
export type CallTools = Omit<Tools, "now" | "signal" | "newId" | "limits">;

/** Builds the tools of one call at a time. */
export function createToolsFor(deps: ToolDeps): (dossier: Dossier, signal: AbortSignal) => CallTools {
  const { recordings, timeZone, country } = deps;
  return ({ engines, tenantId, callId }, signal) => ({
    timeZone,
    country,
    askModel: engines.language && createAskModel(deps, engines.language, signal),
    fetchRecording: ({ plan }, { attempt, askProvider }) => {
      const { mode, audio } = plan.definition.redaction;
      const isRestricted = mode !== "off" && audio;
      return fetchRecording(recordings, { tenantId, callId, attempt, askProvider, isRestricted, signal });
    },
    measureRecording: (_dossier, recordingId) => measureRecording(recordings, { tenantId, recordingId, signal }),
    redactRecording: (_dossier, recordingId, windows) =>
      redactRecording(recordings, { tenantId, recordingId, windows, signal }).catch((error: unknown) => {
        throw new Retry(null, "recording_unavailable", {
          detail: "Our own store of recordings did not answer",
          cause: error,
        });
      }),
    transcribe: engines.speech && transcribeWith(deps, engines.speech, signal),
  });
}

/** Which engines may work for a tenant now. */
export function enginesFor(engines: Engines, now: () => number) {
  return async (tx: Tx, tenantId: string): Promise<DossierEngines> => {
    const language = await engines.loadEngine(tx, tenantId, "language");
    const speech = await engines.loadEngine(tx, tenantId, "speech");
    const isLanguageSpent = language !== null && (await engines.isOverBudget(tx, tenantId, "language", now()));
    const isSpeechSpent = speech !== null && (await engines.isOverBudget(tx, tenantId, "speech", now()));
    return {
      language: isLanguageSpent ? null : language,
      isLanguageSpent,
      speech: isSpeechSpent ? null : speech,
      isSpeechSpent,
    };
  };
}

function transcribeWith(deps: ToolDeps, engine: SpeechEngine, signal: AbortSignal): TranscribeRecording {
  const transcriber = deps.transcriberOf(engine);
  return async (dossier, recording, again) => {
    const { tenantId, callId, plan, record } = dossier;
    const { row, facts } = recording;
    if (!facts || !row.sha256) throw new Error("a recording is transcribed before it was measured");
    const { language, hints } = plan.definition.transcription;
    const asked = {
      language: language ?? factOf(record.state, "language") ?? engine.settings.language,
      hints,
      channelMap: channelRoles(dossier, facts.channelMap),
      direction: factOf(record.state, "direction"),
    };
    const salt = JSON.stringify([row.sha256.toString("hex"), again]);
    return withRecordingFile(
      deps.recordings,
      row,
      (path) => {
        const { durationMs, channels, speechByChannel: speech } = facts;
        const audio = { path, mime: row.mime ?? "audio/wav", bytes: row.bytes ?? 0, channels, durationMs, speech };
        const answers = keptHearings(deps, { tenantId, callId, step: "transcribe" }, transcriber.engine, salt);
        return transcriber.transcribe({ ...asked, audio, signal, answers });
      },
      signal,
    );
  };
}

/** What an engine heard is kept before anything is made of it, so that no part of a recording is paid for twice. */
function keptHearings(
  { db, engines }: Pick<ToolDeps, "db" | "engines">,
  place: Omit<AnswerKey, "hash">,
  engine: EngineRef,
  salt: string,
): KeptHearings {
  const { tenantId, callId, step } = place;
  const keyOf = (hash: Buffer): AnswerKey => ({
    ...place,
    hash: createHash("sha256").update(hash).update(salt).digest(),
  });
  return {
    find: (hash) => db.inTransaction([tenantId], async (tx) => (await findAnswer(tx, keyOf(hash))) as Heard | null),
    async keep(hash, heard, cost) {
      await db.inTransaction([tenantId], async (tx) => {
        const isNew = await keepAnswer(tx, keyOf(hash), { answer: heard, engine, usage: heard.usage, cost });
        if (isNew) await engines.noteCosts(tx, { tenantId, callId, step }, cost);
      });
    },
  };
}
