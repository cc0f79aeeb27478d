import { fromPublicId } from "@aftercall/contract/id.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { completion, honest, json } from "#/models/language/test-model.ts";
import { recipe } from "#/pipeline/recipe.ts";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { channelMap } from "../harness/audio/files.ts";
import { knownCall, knownWav } from "../harness/audio/known-call.ts";
import { type Customer, makeCustomer, newUuid } from "../harness/customer.ts";
import { verifiedMessages } from "../harness/messages.ts";
import { type Receiver, startReceiver } from "../harness/receiver.ts";
import { type RecordingHost, startRecordingHost } from "../harness/recording-host.ts";
import { type ReceivedSpan, spansIn } from "../harness/spans.ts";

let host: RecordingHost;
let toClose: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  host = await startRecordingHost();
  host.serve((_request, response) => response.writeHead(200).end(knownWav));
});
afterEach(async () => {
  await Promise.all(toClose.map((close) => close()));
  toClose = [];
});
afterAll(() => host.close());

const secretHeader = "Basic cGstbGYtMTpzay1sZi0y";

async function receiver(): Promise<Receiver> {
  const made = await startReceiver();
  toClose.push(() => made.close());
  return made;
}

/** A server whose traces go to the collector; stopping it sends what is left. */
async function appWith(collector: Receiver): Promise<TestApp> {
  return startTestApp({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}otel/`,
    OTEL_EXPORTER_OTLP_HEADERS: `Authorization=${secretHeader}`,
  });
}

/** A recorded call: heard by a speech engine, read by a language model. Gives its id, and everything that no trace may hold. */
async function recordedCall(customer: Customer, model: Receiver): Promise<{ id: string; secrets: string[] }> {
  const [vapi, ear] = [await customer.connect("vapi"), await receiver()];
  ear.answer((_request, count) => {
    const turns = knownCall.turns.filter(({ role }) => role === channelMap[(count - 1) % 2]);
    const from = Math.max(0, (turns[0]?.start_ms ?? 0) - 500);
    const at = (ms: number) => (ms - from) / 1000;
    const segments = turns.map((turn) => ({ start: at(turn.start_ms), end: at(turn.end_ms), text: turn.text }));
    return json({ text: "all of it", language: "english", duration: 13, segments });
  });
  const speech = {
    model: "whisper-1",
    base_url: `${ear.url}v1`,
    api_key: "key-of-the-ear",
    price: { per_minute: "0.06" },
  };
  expect((await customer.ask("PUT", "/v1/engines/speech", speech)).status).toBe(200);
  const price = { input_per_million: "1000", output_per_million: "5000" };
  const language = { model: "gpt-4o-mini", base_url: `${model.url}v1`, api_key: "sk-of-this-test-0123456789", price };
  expect((await customer.ask("PUT", "/v1/engines/language", language)).status).toBe(200);
  const instructions = "Two sentences for the landlord";
  const definition = { transcription: { channel_map: channelMap }, summary: { instructions } };
  const { id: planId } = await customer.post("/v1/analysis-plans", { name: "Visits", definition });
  await customer.post(`/v1/analysis-plans/${planId}/publish`, undefined);
  const recording = `${host.url}/signed.wav?token=of-the-recording`;
  await vapi.own({
    message: {
      type: "end-of-call-report",
      timestamp: Date.now(),
      endedReason: "customer-ended-call",
      startedAt: new Date(Date.now() - 60_000).toISOString(),
      endedAt: new Date().toISOString(),
      call: { id: newUuid(), type: "inboundPhoneCall", customer: { number: "+14155550123", name: "Dana Levi" } },
      artifact: { recording: { stereoUrl: recording } },
    },
  });
  await customer.settled();
  const [call] = await customer.calls();
  const said = knownCall.turns.flatMap(({ text }) => text.split(" ").filter((word) => word.length > 6));
  const keys = [speech.api_key, language.api_key, customer.key, secretHeader];
  const told = ["4155550123", "Dana", "of-the-recording", "landlord", "quoted word for word"];
  return { id: call?.id ?? "", secrets: [...said, ...keys, ...told, honest.summary.text, honest.summary.title] };
}

test("one trace per call: what was done, how it ended, what the models took and cost, and not a word of what was said", async () => {
  const [collector, model] = [await receiver(), await receiver()];
  model.answer(completion(honest, { usage: { prompt_tokens: 2_000, completion_tokens: 100 } }));
  const app = await appWith(collector);
  const { id, secrets } = await recordedCall(await makeCustomer(app), model);
  const spans = await spansAfter(app, collector);
  expect(collector.received.every(({ path, headers }) => path === "/otel/v1/traces" && headers.authorization)).toBe(
    true,
  );
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(
    new Set([fromPublicId("call", id)?.replaceAll("-", "")]),
  );
  const passes = spans.filter(({ parent }) => parent === null);
  expect(new Set(passes.map(({ name }) => name))).toEqual(new Set(["pipeline"]));
  expect(passes[0]).toMatchObject({
    attributes: { "aftercall.call.id": id },
    resource: { "service.name": "aftercall" },
  });
  expect(Object.fromEntries(spans.filter(({ parent }) => parent === "pipeline").map(stateOf))).toMatchObject({
    fetch_recording: "succeeded",
    measure_audio: "succeeded",
    import_transcript: "skipped no_provider_transcript",
    transcribe: "succeeded",
    measure_text: "succeeded",
    summarise: "succeeded",
    score: "skipped no_rubric",
  });
  const steps = new Set<string>(recipe.map(({ name }) => name));
  expect(spans.filter(({ parent, name }) => parent === "pipeline" && !steps.has(name))).toEqual([]);

  const hearings = spans.filter(({ parent }) => parent === "transcribe");
  expect(hearings.map(({ attributes }) => attributes["aftercall.audio.channel"])).toEqual([0, 1]);
  expect(hearings[0]).toMatchObject({
    name: "transcribe whisper-1",
    isRequest: true,
    attributes: { "gen_ai.operation.name": "transcribe", "gen_ai.usage.cost": 0.013 },
  });
  const readings = spans.filter(({ name }) => name.startsWith("chat"));
  expect(readings.map(({ parent, isRequest, isFailed }) => [parent, isRequest, isFailed])).toEqual([
    ["summarise", true, false],
  ]);
  expect(readings[0]?.attributes).toEqual({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": new URL(model.url).host,
    "gen_ai.system": new URL(model.url).host,
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.request.max_tokens": expect.any(Number),
    "gen_ai.request.temperature": 0,
    "gen_ai.output.type": "json",
    "gen_ai.response.model": "test-model-2026",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 2_000,
    "gen_ai.usage.output_tokens": 100,
    "gen_ai.usage.cache_read.input_tokens": 0,
    "gen_ai.usage.cost": 2.5,
    "aftercall.cost.amount": 2.5,
    "aftercall.cost.currency": "USD",
    "server.address": "127.0.0.1",
    "server.port": Number(new URL(model.url).port),
  });
  const sent = collector.received.map(({ body }) => body.toString("utf8")).join("");
  expect(secrets.filter((secret) => sent.includes(secret))).toEqual([]);
});

test("a model that refuses: the request failed and says how, and so does the step", async () => {
  const [collector, model] = [await receiver(), await receiver()];
  model.answer(json({ error: { message: "No such model as Dana asked for" } }, 404));
  const app = await appWith(collector);
  const { secrets } = await recordedCall(await makeCustomer(app), model);
  const spans = await spansAfter(app, collector);
  expect(spans.filter(({ name }) => name.startsWith("chat"))).toMatchObject([
    { isFailed: true, attributes: { "error.type": "engine_rejected" } },
  ]);
  expect(spans.filter(({ name }) => name === "summarise").map(stateOf)).toEqual([
    ["summarise", "partial engine_rejected"],
  ]);
  const sent = collector.received.map(({ body }) => body.toString("utf8")).join("");
  expect(secrets.filter((secret) => sent.includes(secret))).toEqual([]);
});

test.each(["reset", "hang"] as const)("a collector that does nothing but %s: calls end as ever", async (reply) => {
  const [collector, model, results] = [await receiver(), await receiver(), await receiver()];
  collector.answer(reply);
  model.answer(completion(honest));
  const app = await appWith(collector);
  const customer = await makeCustomer(app);
  const endpoint = await customer.subscribe(results, { types: ["call.completed"] });
  const { id } = await recordedCall(customer, model);
  const [message] = await verifiedMessages(results, endpoint.secret, 1);
  expect(message?.data.call).toMatchObject({ id, summary: honest.summary.text });
  await app.stop();
});

/** What is left is sent when the server stops, and may come a moment later: each step, and the three requests to models. */
async function spansAfter(app: TestApp, collector: Receiver): Promise<ReceivedSpan[]> {
  await app.stop();
  const isWhole = () => {
    const spans = spansIn(collector.received);
    const isThere = ({ name }: { readonly name: string }) => spans.some((span) => span.name === name);
    const requests = spans.filter(({ isRequest }) => isRequest);
    return recipe.every(isThere) && requests.length === 3 && spans.every(({ parent }) => parent !== "unknown");
  };
  await expect.poll(isWhole, { timeout: 60_000 }).toBe(true);
  return spansIn(collector.received);
}

/** `["score", "skipped no_rubric"]` */
function stateOf({ name, attributes }: ReceivedSpan): [name: string, state: string] {
  const told = [attributes["aftercall.step.state"], attributes["aftercall.step.reason"]];
  return [name, told.filter((word) => word !== undefined).join(" ")];
}
