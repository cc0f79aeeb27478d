import { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import type { Turn } from "@aftercall/contract/call.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { factOf } from "#/calls/project.ts";
import { loadCall } from "#/calls/store.ts";
import { loadCurrentTranscript } from "#/calls/transcript-store.ts";
import { completion, honest, turnsOf } from "#/models/language/test-model.ts";
import { openRecording } from "#/recordings/read.ts";
import { refuseRestricted } from "#/recordings/restricted.ts";
import { recordingsOfCall } from "#/recordings/store.ts";

import { knownWav as wav } from "../../test/harness/audio/known-call.ts";
import { startRecordingHost } from "../../test/harness/recording-host.ts";
import { analyseOnce } from "./analyse-once.ts";
import { maskChanges } from "./mask-changes.ts";
import { runPipelines } from "./run.ts";
import type { Step } from "./step.ts";
import { loadSteps } from "./store.ts";
import { pipelineSetup } from "./test-setup.ts";

let setup: Awaited<ReturnType<typeof pipelineSetup>>;
let host: Awaited<ReturnType<typeof startRecordingHost>>;
beforeAll(async () => {
  [setup, host] = await Promise.all([pipelineSetup(), startRecordingHost()]);
});
afterAll(() => Promise.all([setup.close(), host.close()]));
afterEach(() => setup.model.answer({ status: 200 }));

type Ids = { readonly tenantId: string; readonly callId: string };

const phone = "+972 50 123 4567";
const card = "4111 1111 1111 1111";
const said = turnsOf(
  ["agent", "Good morning, this is Dana of Sunrise Homes, how can I help you?"],
  ["customer", `My name is Ruth Cohen and my number is ${phone}, I want to sell my flat.`],
  ["customer", `Please charge the card ${card} for the advertisement.`],
  ["agent", "Thank you Ruth Cohen, I will call you tomorrow."],
);
/** As it stands in none of the places where only masked words may. */
const personal = /123\s?4567|501234567|4111|Cohen/;

const masking = (mode: string, more: object = {}) => {
  const types = ["phone", "card", "name"];
  const fields = [{ name: "phone", kind: "parser", parser: "phone" }];
  return PlanDefinition.parse({ redaction: { mode, types, ...more }, fields });
};

async function callBy(definition: PlanDefinition, given: Parameters<typeof setup.makeCall>[1] = {}) {
  const tenantId = await setup.makeTenant();
  await setup.publish(tenantId, definition);
  const facts = { customer_name: "Ruth Cohen", ...given.facts };
  return setup.makeCall(tenantId, { turns: said, ...given, facts });
}

function inTx<T>({ tenantId }: Ids, work: Parameters<typeof setup.db.inTransaction<T>>[1]): Promise<T> {
  return setup.db.inTransaction([tenantId], work);
}

async function everyTextOf(ids: Ids, table: string): Promise<string> {
  const rows = await inTx(ids, (tx) =>
    tx.rows<{ row: string }>(`select to_jsonb(t)::text as row from ${table} t where tenant_id = $1 and call_id = $2`, [
      ids.tenantId,
      ids.callId,
    ]),
  );
  return rows.map(({ row }) => row).join("\n");
}

async function stepOf(ids: Ids, name: string) {
  const rows = await inTx(ids, (tx) => loadSteps(tx, ids.tenantId, ids.callId));
  return rows.find(({ row }) => row.step === name)?.row;
}

test.each(["mask_outbound", "mask_before_llm", "mask_at_rest"])(
  "%s: nothing that leaves holds personal data: messages, transcript, run, facts of the call",
  async (mode) => {
    const bench = setup.bench();
    const ids = await callBy(masking(mode), { facts: { summary: `Ruth Cohen, ${phone}, wants to sell.` } });
    await bench.run(ids);
    expect(await stepOf(ids, "redact")).toMatchObject({
      state: "succeeded",
      detail: "Masked: name 2, phone 1, card 1.",
    });
    expect(bench.told()).toEqual(["transcript.ready", "analysis.completed", "call.updated", "call.settled"]);
    const { customer_name: _known, ...facts } =
      (await inTx(ids, (tx) => loadCall(tx, ...valuesOf(ids))))?.state.facts ?? {};
    const changes = await inTx(ids, (tx) => maskChanges(tx, bench.changes, "IL"));
    const told = changes.map((change) =>
      "data" in change ? change.data : "analysis" in change ? [change.transcript, change.analysis] : null,
    );
    expect(JSON.stringify(told)).toContain("[CARD_1]");
    expect(JSON.stringify([told, facts])).not.toMatch(personal);
    expect(await everyTextOf(ids, "analysis_runs")).not.toMatch(personal);
    expect(await everyTextOf(ids, "step_results")).not.toMatch(personal);
    const current = await inTx(ids, (tx) => loadCurrentTranscript(tx, ...valuesOf(ids)));
    expect(current).toMatchObject({ origin: "redaction", redaction: "masked", parentId: expect.any(String) });
    // The call goes by its customer's name, which whoever may see the call is shown.
    expect((await everyTextOf(ids, "call_search")).replaceAll("Ruth Cohen", "")).not.toMatch(personal);
    expect(current?.transcript.turns[2]?.text).toBe("Please charge the card [CARD_1] for the advertisement.");
    expect(bench.bugs).toEqual([]);
    const spoken = await everyTextOf(ids, "transcripts");
    if (mode === "mask_at_rest") expect(spoken).not.toMatch(personal);
    else expect(spoken).toMatch(personal);
  },
);

test("no setting says the country: numbers said as they are dialled at home are covered, by those of the call or their shape", async () => {
  const numbers = [
    "050-123-4567",
    "02-671-2345",
    "03 5551234",
    "04-8123456",
    "020 7946 0958",
    "1-700-700-800",
    "*6050",
  ];
  for (const own of [{ from_number: "+97235551234", to_number: "+97226712345" }, {}]) {
    const ids = await callBy(masking("mask_at_rest"), {
      turns: turnsOf(
        ["agent", "Hello, how can I help?"],
        ...numbers.map((one) => ["customer", `Call ${one}, please.`] as const),
      ),
      facts: own,
    });
    await setup.bench().run(ids);
    const current = await inTx(ids, (tx) => loadCurrentTranscript(tx, ...valuesOf(ids)));
    const texts = current?.transcript.turns.slice(1).map(({ text }) => text);
    expect(texts).toEqual(numbers.map((_, i) => `Call [PHONE_${i + 1}], please.`));
    expect(await everyTextOf(ids, "analysis_runs")).not.toMatch(personal);
  }
});

test.each([
  ["mask_outbound", true],
  ["mask_before_llm", false],
  ["mask_at_rest", false],
])("%s: the model sees personal data: %s", async (mode, isSeen) => {
  const bench = setup.bench({ withModel: true });
  const ids = await callBy(masking(mode));
  let asked = "";
  setup.model.answer((request) => {
    asked += request.body.toString();
    return completion({ summary: { ...honest.summary, next_steps: [] } });
  });
  await bench.run(ids);
  expect(asked).toContain("sell my flat");
  expect(personal.test(asked)).toBe(isSeen);
});

test("mask_before_llm: a quote is looked for in the masked words, and found there", async () => {
  const bench = setup.bench({ withModel: true });
  const ids = await callBy(masking("mask_before_llm"));
  const evidence = [{ turn: "T2", quote: "charge the card [CARD_1]" }];
  setup.model.answer(() =>
    completion({
      summary: { ...honest.summary, next_steps: [{ text: "Charge", owner: "agent", due: null, evidence }] },
    }),
  );
  await bench.run(ids);
  const settled = bench.changes.find(({ type }) => type === "call.settled");
  const summary = settled && "analysis" in settled ? settled.analysis?.summary : null;
  expect(summary?.next_steps[0]?.evidence[0]).toMatchObject({ quote: "charge the card [CARD_1]" });
  expect(summary?.next_steps[0]?.evidence[0]?.verification).not.toBe("failed");
});

test("mask_at_rest: looked at again, nothing is made anew, and masked words stay what they are", async () => {
  const bench = setup.bench();
  const ids = await callBy(masking("mask_at_rest"));
  await bench.run(ids);
  const before = bench.changes.length;
  await bench.run(ids);
  expect(bench.changes).toHaveLength(before);
  const current = await inTx(ids, (tx) => loadCurrentTranscript(tx, ...valuesOf(ids)));
  const run = await analyseOnce(
    bench.deps,
    { ...ids, plan: { id: ids.callId, version: 1, name: "x", definition: masking("off") }, sections: ["summary"] },
    new AbortController().signal,
  );
  expect(run.transcriptId).toBe(current?.id);
  expect(JSON.stringify(run.summary)).not.toMatch(personal);
});

test("mask_at_rest with erase_events empties what the provider sent, once the call is settled", async () => {
  const ids = await callBy(masking("mask_at_rest", { erase_events: true }));
  const source = await setup.recordings.makeSource(ids.tenantId, "vapi", {
    secrets: [{ slot: "secret", value: "s3cret" }],
  });
  await inTx(ids, (tx) =>
    tx.run(
      `insert into events (tenant_id, id, source_id, provider, type, key, received_at, route, url, content_type, headers, body, verification, effect, call_id)
       values ($1, $2::uuid, $4, 'vapi', 'test', 'k', now(), 'own', '/', 'application/json', '{}', $3, 'none', 'applied', $2)`,
      [ids.tenantId, ids.callId, Buffer.from(`{"said":"${card}"}`), source],
    ),
  );
  await setup.bench().run(ids);
  const [event] = await inTx(ids, (tx) =>
    tx.rows<{ body: Buffer; body_digest: Buffer | null }>("select body, body_digest from events where call_id = $1", [
      ids.callId,
    ]),
  );
  expect(event?.body).toHaveLength(0);
  expect(event?.body_digest).toHaveLength(32);
});

/** Each word with its time, half a second each, inside a turn. */
function timed(turn: Turn): Turn {
  const words = turn.text.split(" ").map((text, i) => {
    const start_ms = (turn.start_ms ?? 0) + i * 300;
    return { text, start_ms, end_ms: start_ms + 280, confidence: null };
  });
  return { ...turn, words };
}

const recordingAt = (name: string) => ({
  recording: { status: "available" as const, url: `${host.url}/${name}`, duration_ms: null, channels: null },
});

test("a redacted recording is as long as the original and silent where personal data is said; the original is for administrators", async () => {
  host.serve((_request, response) => response.writeHead(200).end(wav));
  const bench = setup.bench();
  const ids = await callBy(masking("mask_outbound", { audio: true, types: ["card"] }), {
    turns: said.slice(0, 3).map(timed),
    facts: recordingAt("one.wav"),
  });
  await bench.run(ids);
  expect(bench.bugs).toEqual([]);
  expect(await stepOf(ids, "redact")).toMatchObject({ state: "succeeded" });
  const rows = await inTx(ids, (tx) => recordingsOfCall(tx, ...valuesOf(ids)));
  const [original, redacted] = ["original", "redacted"].map((kind) => rows.find((row) => row.kind === kind));
  if (!original || !redacted) throw new Error("a recording is missing");
  expect(redacted).toMatchObject({
    state: "stored",
    duration_ms: original.duration_ms,
    bytes: wav.length,
    is_restricted: false,
  });
  const bytes = Buffer.concat((await (await openRecording(setup.recordings.deps, redacted))?.stream.toArray()) ?? []);
  // The card is said in words 4 to 7 of a turn that begins at 10 s: 11.2 s to 12.38 s, and 250 ms around it.
  const at = (ms: number) => wav.indexOf("data") + 8 + ms * 16;
  expect(bytes.subarray(at(10_950), at(12_630)).every((byte) => byte === 0xff)).toBe(true);
  expect(bytes.subarray(0, at(10_940))).toEqual(wav.subarray(0, at(10_940)));
  expect(bytes.subarray(at(12_640))).toEqual(wav.subarray(at(12_640)));
  expect(() => refuseRestricted(original, { role: "member" })).toThrow("Only administrators");
  expect(() => refuseRestricted(original, { role: "admin" })).not.toThrow();
  expect(bench.told().filter((type) => type === "recording.ready")).toHaveLength(2);
});

test("a word without a time: no redacted recording, and the step says so; the masked words are there all the same", async () => {
  host.serve((_request, response) => response.writeHead(200).end(wav));
  const bench = setup.bench();
  const ids = await callBy(masking("mask_before_llm", { audio: true }), { facts: recordingAt("two.wav") });
  await bench.run(ids);
  expect(await stepOf(ids, "redact")).toMatchObject({
    state: "failed",
    reason: "redaction_unlocated",
    detail:
      "4 places that have to be silent have no times in the transcript, so no redacted recording was made; administrators may hear the original.",
  });
  const rows = await inTx(ids, (tx) => recordingsOfCall(tx, ...valuesOf(ids)));
  expect(rows).toMatchObject([{ kind: "original", is_restricted: true }]);
  const settled = bench.changes.find(({ type }) => type === "call.settled");
  expect(settled).toMatchObject({
    transcript: { turns: expect.any(Array) },
    analysis: { sections: { summary: { state: "succeeded" } } },
  });
  expect(JSON.stringify([settled && "transcript" in settled && settled.transcript])).not.toMatch(personal);
});

test("words that could not be masked in time are shown to nobody: no message, no transcript, no search, no result", async () => {
  // The recording is set up to be silenced, and nobody comes to do that before the call has to be settled.
  const bench = setup.bench();
  const ids = await callBy(masking("mask_outbound", { audio: true }), { facts: recordingAt("late.wav") });
  host.serve((_request, response) => response.writeHead(200).end(wav));
  const isForLater = (step: Step): Step => (step.name === "redact" ? { ...step, asks: () => true } : step);
  const stuck = { ...bench.deps, recipe: bench.deps.recipe.map(isForLater) };
  const run = () => runPipelines(stuck, [{ data: ids, jobId: setup.ids.next(), signal: new AbortController().signal }]);
  await run();
  await setup.clock.advance(3_600_000);
  await run();
  expect(await stepOf(ids, "redact")).toMatchObject({ state: "failed", reason: "deadline" });
  expect(bench.told()).toContain("call.settled");
  expect(
    JSON.stringify(
      bench.changes.map((change) => ("transcript" in change ? [change.transcript, change.analysis] : null)),
    ),
  ).not.toMatch(personal);
  expect(await inTx(ids, (tx) => loadCurrentTranscript(tx, ...valuesOf(ids)))).toBeNull();
  expect((await everyTextOf(ids, "call_search")).replaceAll("Ruth Cohen", "")).not.toMatch(personal);
  expect(await everyTextOf(ids, "analysis_runs")).not.toMatch(personal);
});

test("what is being said, and a summary the provider wrote, are masked on their way out before the call is over", async () => {
  const ids = await callBy(masking("mask_outbound", { audio: true }), {
    facts: { summary: `Call back ${phone}`, ...recordingAt("theirs.wav") },
  });
  const record = await inTx(ids, (tx) => loadCall(tx, ...valuesOf(ids)));
  if (!record) throw new Error("no call");
  const turn = { role: "customer", text: `It is ${card}`, is_final: true } as never;
  const out = await inTx(ids, (tx) =>
    maskChanges(
      tx,
      [
        { type: "turn.spoken", tenantId: ids.tenantId, call: record, aliases: [], turn, receivedAt: 0 },
        {
          type: "call.ended",
          tenantId: ids.tenantId,
          before: null,
          after: record,
          aliases: [],
          transcript: null,
          receivedAt: 0,
        },
      ],
      "IL",
    ),
  );
  expect(out[0]).toMatchObject({ turn: { text: "It is [CARD_1]" } });
  const [, ended] = out;
  expect(ended && "after" in ended && factOf(ended.after.state, "summary")).toBe("Call back [PHONE_1]");
  expect(JSON.stringify(ended)).not.toContain("theirs.wav");
});

function valuesOf({ tenantId, callId }: Ids): [string, string] {
  return [tenantId, callId];
}
