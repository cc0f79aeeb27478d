import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { afterAll, beforeAll, expect, test } from "vitest";

import { shownTranscript } from "#/calls/shown-transcript.ts";
import { loadCall } from "#/calls/store.ts";
import { insertTranscript } from "#/calls/transcript-store.ts";
import { turnsOf } from "#/models/language/test-model.ts";

import { correctionHandlers } from "./corrections.ts";
import type { PipelineData } from "./run.ts";
import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
beforeAll(async () => {
  setup = await pipelineSetup();
});
afterAll(() => setup.close());

const said = turnsOf(["agent", "How can I help?"], ["customer", "Call me at +972501234567."]);

async function shown({ tenantId, callId }: PipelineData) {
  return setup.db.inTransaction([tenantId], async (tx) => {
    const call = await loadCall(tx, tenantId, callId);
    return call && shownTranscript(tx, call);
  });
}

test("a transcript says whose words it has, the provider's or those of a person, and the language of the call", async () => {
  const ids = await setup.makeCall(await setup.makeTenant(), { turns: said, facts: { language: "en" } });
  await setup.bench().run(ids);
  const provider = { kind: "provider", provider: "generic", model: null };
  expect(await shown(ids)).toMatchObject({ origin: "provider", engine: provider, quality: null, language: "en" });

  const edit = correctionHandlers({ db: setup.db, ids: setup.ids, enqueueCalls: async () => {} });
  const human = { origin: "human_edit", engine: null, quality: null };
  const edited = await edit.editTranscript({
    tenant: ids.tenantId,
    actor: { kind: "user", id: "dana", role: "member" },
    params: { id: ids.callId },
    query: undefined,
    body: { turns: said.map(({ role, text }) => ({ role, text })) },
  });
  expect(edited).toMatchObject(human);
  expect(await shown(ids)).toMatchObject(human);
});

test("a masked transcript says who made the words that it stands for, and nothing that was taken out of them", async () => {
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, PlanDefinition.parse({ redaction: { mode: "mask_outbound" } }));
  const ids = await setup.makeCall(tenantId, { turns: said });
  await setup.bench().run(ids);
  const provider = { kind: "provider", provider: "generic", model: null };
  expect(await shown(ids)).toMatchObject({ origin: "redaction", engine: provider, quality: null });

  const [heard, masked] = [setup.ids.next(), setup.ids.next()];
  const engine = { kind: "stt", provider: "openai", model: "whisper-1", version: null, prompt_sha256: null } as const;
  const kept = { ...ids, text: "", turns: [], language: null, timing: null };
  const sure = { avg_confidence: 0.9, avg_logprob: null, no_speech_prob_max: null };
  const dropped_segments = [{ start_ms: 0, end_ms: 1, channel: 0, text: "+972501234567", why: "repeated" }];
  const quality = {
    ...sure,
    role_source: "none",
    role_confidence: null,
    flags: ["segments_dropped"],
    dropped_segments,
  };
  await setup.db.inTransaction([tenantId], async (tx) => {
    await insertTranscript(tx, {
      ...kept,
      id: heard,
      origin: "stt",
      parentId: null,
      engine,
      redaction: "none",
      quality,
    });
    const made = {
      origin: "redaction",
      parentId: heard,
      engine,
      redaction: "masked",
      quality: { masked: {} },
    } as const;
    await insertTranscript(tx, { ...kept, id: masked, ...made });
    await tx.run("update pipelines set transcript_id = $3 where tenant_id = $1 and call_id = $2", [
      ...[tenantId, ids.callId, masked],
    ]);
  });
  expect(await shown(ids)).toMatchObject({
    origin: "redaction",
    engine: { kind: "stt", provider: "openai", model: "whisper-1" },
    quality: { avg_confidence: 0.9, flags: ["segments_dropped"], dropped_segments: null },
  });
});
