import { inspect } from "node:util";

import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";
import { newestPrompt, type PromptVersion } from "@aftercall/contract/analysis/prompt.ts";
import { afterEach, expect, test } from "vitest";

import { GiveUp, Retry } from "../failure.ts";
import type { LanguageSection } from "./answer.ts";
import type { LanguageEngine } from "./engine.ts";
import { completion, honest, json, plainCall, saidTo, startModel, testKey, testPlan, turnsOf } from "./test-model.ts";

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

async function model(engine: Partial<LanguageEngine> = {}) {
  const started = await startModel(engine);
  toClose.push(() => started.close());
  return started;
}

const all: readonly LanguageSection[] = ["summary", "extraction", "evaluation", "coaching"];
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error("It went well");
    },
    (error: unknown) => error,
  );
const settings = (more: Partial<LanguageEngine["settings"]>) => ({
  settings: {
    contextTokens: 100_000,
    outputTokensMax: 4_000,
    responseFormat: "schema" as const,
    temperature: 0,
    timeoutMs: 5_000,
    promptVersion: newestPrompt,
    language: null,
    ...more,
  },
});

test("one request serves all sections, with the schema in the prompt and as response_format, and its usage is told", async () => {
  const { receiver, analyse } = await model();
  receiver.answer(
    completion(honest, {
      usage: { prompt_tokens: 900, completion_tokens: 80, prompt_tokens_details: { cached_tokens: 500 } },
    }),
  );
  const answer = await analyse(plainCall, all);

  expect(receiver.received).toHaveLength(1);
  const [request] = receiver.received;
  expect(request).toMatchObject({ method: "POST", path: "/v1/chat/completions" });
  expect(request?.headers.authorization).toBe(`Bearer ${testKey}`);
  const body = JSON.parse(request?.body.toString() ?? "");
  expect(body).toMatchObject({ model: "test-model", temperature: 0, max_completion_tokens: 4_000 });
  expect(body.response_format).toMatchObject({ type: "json_schema", json_schema: { strict: true } });
  expect(body.response_format.json_schema.schema.required).toEqual([...all]);
  expect(saidTo(request)).toContain(JSON.stringify(body.response_format.json_schema.schema));
  expect(body).not.toHaveProperty("tools");

  const { summary, extraction, evaluation, coaching } = answer.sections;
  expect(summary).toMatchObject({ ok: true, value: { title: "Flat in Beit Shean", method: "llm" } });
  expect(summary?.ok && summary.value.next_steps[0]?.evidence[0]).toMatchObject({ turn: 4, verification: "exact" });
  expect(extraction).toMatchObject({
    ok: true,
    value: [
      { name: "city", value: "Beit Shean", state: "found" },
      { name: "rooms", value: 4, state: "found" },
    ],
  });
  expect(evaluation).toMatchObject({
    ok: true,
    value: [
      { criterion_id: "greeting", verdict: "met", points: 1 },
      { criterion_id: "empathy", verdict: "partial", points: 6 },
    ],
  });
  expect(coaching).toMatchObject({
    ok: true,
    value: {
      keep: ["Promise a next step"],
      start: ["Ask for a phone number"],
      stop: [],
      highlights: [{ evidence: { turn: 4 } }],
    },
  });
  expect(answer.usage).toMatchObject({ input_tokens: 900, cached_input_tokens: 500, output_tokens: 80 });
  expect(answer.engine).toMatchObject({ kind: "llm", provider: "openai", model: "test-model" });
  expect(answer.engine.prompt_sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(answer.flags).toEqual([]);
});

test("Anthropic is asked in its own words", async () => {
  const { receiver, analyse } = await model({ vendor: "anthropic", provider: "anthropic", model: "claude-test" });
  receiver.answer(
    json({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-test",
      content: [{ type: "text", text: JSON.stringify({ summary: honest.summary }) }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: 50, output_tokens: 10 },
    }),
  );
  const answer = await analyse(plainCall, ["summary"]);
  expect(receiver.received[0]).toMatchObject({ path: "/v1/messages", headers: { "x-api-key": testKey } });
  expect(answer.sections.summary).toMatchObject({ ok: true });
  expect(answer.usage).toMatchObject({ input_tokens: 50, output_tokens: 10 });
});

test("a model of Anthropic that answers through a tool, as it is made to for JSON, is read as well", async () => {
  const { receiver, analyse } = await model({ vendor: "anthropic", provider: "anthropic", model: "claude-test" });
  receiver.answer((request) => {
    const { tools = [] } = JSON.parse(request.body.toString()) as { tools?: { name: string }[] };
    const input = { summary: honest.summary };
    return json({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-test",
      content: [
        tools[0]
          ? { type: "tool_use", id: "toolu_1", name: tools[0].name, input }
          : { type: "text", text: JSON.stringify(input) },
      ],
      stop_reason: tools[0] ? "tool_use" : "end_turn",
      stop_sequence: null,
      usage: { input_tokens: 50, cache_read_input_tokens: 30, output_tokens: 10 },
    });
  });
  const answer = await analyse(plainCall, ["summary"]);
  expect(answer.sections.summary).toMatchObject({ ok: true, value: { title: "Flat in Beit Shean" } });
  expect(answer.usage).toMatchObject({ input_tokens: 80, cached_input_tokens: 30 });
});

test.each([
  [429, { type: "rate_limit_error" }, "engine_unavailable"],
  [529, { type: "overloaded_error" }, "engine_unavailable"],
])("Anthropic's %i is tried later", async (status, error, reason) => {
  const { receiver, analyse } = await model({ vendor: "anthropic", provider: "anthropic", model: "claude-test" });
  receiver.answer(
    json({ type: "error", error: { ...error, message: "Later, please" } }, status, { "retry-after": "9" }),
  );
  const failure = await failureOf(analyse(plainCall, ["summary"]));
  expect(failure).toMatchObject({ name: "Retry", reason, afterMs: 9_000 });
  expect(receiver.received).toHaveLength(1);
});

test("a failure carries nothing of the call", async () => {
  const { receiver, analyse } = await model();
  for (const status of [200, 400, 500]) {
    receiver.answer(json({ oops: true }, status));
    const failure = await failureOf(analyse(plainCall, ["summary"]));
    expect(inspect(failure, { depth: 10, showHidden: true })).not.toMatch(/Beit Shean|sk-test/);
  }
});

test.each([
  ["in a fence", "```json\n%\n```"],
  ["after its thoughts", "<think>The score is {high}</think>\n%"],
  ["after thoughts without a beginning, in a fence", "so I answer</think>\n```\n%\n```"],
  ["between words", "Here is the analysis:\n%\nI hope this helps!"],
  ["with a comma too many", "%,"],
])("an answer %s is read at once", async (_how, form) => {
  const { receiver, analyse } = await model();
  const text = JSON.stringify({ summary: honest.summary });
  receiver.answer(completion(form.endsWith("%,") ? text.replace(/\}$/, ",}") : form.replace("%", text)));
  const answer = await analyse(plainCall, ["summary"]);
  expect(answer.sections.summary).toMatchObject({ ok: true, value: { title: "Flat in Beit Shean" } });
  expect(receiver.received).toHaveLength(1);
});

test("a wrong section is asked for once more, alone, and told what is wrong with it", async () => {
  const { receiver, analyse } = await model();
  const wrong = { ...honest, summary: { ...honest.summary, bullets: "none" } };
  receiver.answer((_request, count) => completion(count === 1 ? wrong : { summary: honest.summary }));
  const answer = await analyse(plainCall, all);
  expect(answer.sections).toMatchObject({ summary: { ok: true }, extraction: { ok: true }, evaluation: { ok: true } });
  expect(receiver.received).toHaveLength(2);
  const second = JSON.parse(receiver.received[1]?.body.toString() ?? "");
  expect(second.messages.at(-1).content).toContain("/summary/bullets must be array");
  expect(second.response_format.json_schema.schema.required).toEqual(["summary"]);
  expect(answer.usage).toMatchObject({ input_tokens: 200, output_tokens: 40 });
});

test("a section that is wrong twice fails alone, with what the model said, and is not asked for a third time", async () => {
  const { receiver, analyse } = await model();
  const wrong = { ...honest, evaluation: { greeting: "great!" } };
  receiver.answer(completion(wrong));
  const answer = await analyse(plainCall, all);
  expect(answer.sections.summary).toMatchObject({ ok: true });
  expect(answer.sections.evaluation).toMatchObject({ ok: false, reason: "invalid_output" });
  expect(answer.sections.evaluation?.ok === false && answer.sections.evaluation.raw).toContain("great!");
  expect(receiver.received).toHaveLength(2);
});

test("prose instead of JSON is invalid output after one repair", async () => {
  const { receiver, analyse } = await model();
  receiver.answer(completion("The call went very well, I would say."));
  const answer = await analyse(plainCall, ["summary"]);
  expect(answer.sections.summary).toMatchObject({ ok: false, reason: "invalid_output" });
  expect(receiver.received).toHaveLength(2);
});

test("an answer that stops in the middle is not mended, whatever its server says about its end", async () => {
  const { receiver, analyse } = await model();
  const cut = JSON.stringify({ summary: { ...honest.summary, bullets: ["a", "cut here"] } }).slice(0, -40);
  receiver.answer((_request, count) => completion(count === 1 ? cut : { summary: honest.summary }));
  const answer = await analyse(plainCall, ["summary"]);
  expect(receiver.received).toHaveLength(2);
  expect(answer.sections.summary).toMatchObject({ ok: true, value: { bullets: ["Four rooms"] } });
});

test("an answer that was cut is never mended: each section is asked alone, and what is cut again is truncated", async () => {
  const { receiver, analyse } = await model();
  const half = JSON.stringify(honest).slice(0, 200);
  receiver.answer((request) =>
    saidTo(request).includes('"required":["summary"]')
      ? completion({ summary: honest.summary })
      : completion(half, { finish: "length" }),
  );
  const answer = await analyse(plainCall, ["summary", "coaching"]);
  expect(answer.sections).toMatchObject({ summary: { ok: true }, coaching: { ok: false, reason: "output_truncated" } });
  expect(receiver.received).toHaveLength(3);
});

test.each([
  ["content_filter", null],
  ["content_filter", "I cannot"],
])("an answer that ends in %s is content_filtered and not asked again", async (finish, content) => {
  const { receiver, analyse } = await model();
  receiver.answer(json({ choices: [{ message: { role: "assistant", content }, finish_reason: finish }] }));
  const answer = await analyse(plainCall, ["summary"]);
  expect(answer.sections.summary).toMatchObject({ ok: false, reason: "content_filtered" });
  expect(receiver.received).toHaveLength(1);
});

test("a server that tells no usage leaves it unknown, not zero", async () => {
  const { receiver, analyse } = await model();
  receiver.answer(completion({ summary: honest.summary }, { usage: null }));
  const answer = await analyse(plainCall, ["summary"]);
  expect(answer.usage).toMatchObject({ input_tokens: null, output_tokens: null, cached_input_tokens: null });
});

test("429 is tried later, when the server says", async () => {
  const { receiver, analyse } = await model();
  receiver.answer(json({ error: { message: "Rate limit reached" } }, 429, { "retry-after": "17" }));
  const failure = await failureOf(analyse(plainCall, ["summary"]));
  expect(failure).toBeInstanceOf(Retry);
  expect(failure).toMatchObject({ reason: "engine_unavailable", afterMs: 17_000 });
  expect(receiver.received).toHaveLength(1);
});

test.each([
  [500, Retry, "engine_unavailable"],
  [503, Retry, "engine_unavailable"],
  [504, Retry, "engine_timeout"],
  [400, GiveUp, "engine_rejected"],
  [401, GiveUp, "engine_rejected"],
  [404, GiveUp, "engine_rejected"],
] as const)("%i is %o", async (status, kind, reason) => {
  const { receiver, analyse } = await model();
  receiver.answer(json({ error: { message: `Incorrect API key provided: ${testKey}` } }, status));
  const failure = await failureOf(analyse(plainCall, ["summary"]));
  expect(failure).toBeInstanceOf(kind);
  expect(failure).toMatchObject({ reason });
  expect(String(failure)).toContain(String(status));
  expect(String(failure)).not.toContain(testKey);
  expect(receiver.received).toHaveLength(1);
});

test("a server that hangs is given up after the time of the engine", async () => {
  const { receiver, analyse } = await model(settings({ timeoutMs: 200 }));
  receiver.answer("hang");
  const failure = await failureOf(analyse(plainCall, ["summary"]));
  expect(failure).toBeInstanceOf(Retry);
  expect(failure).toMatchObject({ reason: "engine_timeout" });
});

test.each([
  ["breaks off", { status: 200, headers: { "content-type": "application/json" }, body: '{"choices":[{"mess' }],
  ["is a page", { status: 200, headers: { "content-type": "text/html" }, body: "<html>Sign in</html>" }],
  ["has another form", { status: 200, headers: { "content-type": "application/json" }, body: '{"ok":true}' }],
  ["is empty", { status: 200, headers: { "content-type": "application/json" }, body: "" }],
])("an answer of the server that %s is tried later", async (_how, reply) => {
  const { receiver, analyse } = await model();
  receiver.answer(reply);
  expect(await failureOf(analyse(plainCall, ["summary"]))).toBeInstanceOf(Retry);
});

test("a failure tells what was consumed before it", async () => {
  const { receiver, analyse } = await model();
  receiver.answer((_request, count) => (count === 1 ? completion("no JSON") : json({}, 500)));
  const failure = await failureOf(analyse(plainCall, ["summary"]));
  expect(failure).toMatchObject({ spent: { usage: { input_tokens: 100, output_tokens: 20 } } });
});

test("an answer that is kept is not paid for again", async () => {
  const { receiver, analyse } = await model();
  receiver.answer((_request, count) => (count === 1 ? completion("no JSON") : json({}, 500)));
  const kept = new Map<string, never>();
  const answers = {
    find: async (hash: Buffer) => kept.get(hash.toString("hex")) ?? null,
    keep: async (hash: Buffer, answer: unknown) => void kept.set(hash.toString("hex"), answer as never),
  };
  await failureOf(analyse(plainCall, ["summary"], { answers }));
  receiver.answer(completion({ summary: honest.summary }));
  const answer = await analyse(plainCall, ["summary"], { answers });
  expect(answer.sections.summary).toMatchObject({ ok: true });
  expect(receiver.received).toHaveLength(3);
  expect(answer.usage).toMatchObject({ input_tokens: 100 });
});

test("a plan chooses the wording: another one is another request, asked and paid anew, and the run says which it was", async () => {
  const { receiver, analyse } = await model();
  receiver.answer(completion(honest));
  const kept = new Map<string, never>();
  const answers = {
    find: async (hash: Buffer) => kept.get(hash.toString("hex")) ?? null,
    keep: async (hash: Buffer, answer: unknown) => void kept.set(hash.toString("hex"), answer as never),
  };
  const by = async (version: PromptVersion) => {
    const plan = { ...testPlan, engine: { ...testPlan.engine, prompt_version: version } };
    return (await analyse(plainCall, all, { plan, answers })).engine;
  };
  const engines = [await by("1"), await by("2"), await by("3"), await by("3")];
  expect(engines.map(({ version }) => version)).toEqual(["1", "2", "3", "3"]);
  expect(new Set(engines.map(({ prompt_sha256: sha256 }) => sha256)).size).toBe(3);
  const told = receiver.received.map(saidTo);
  expect(told.map((text) => /what not_applicable_when says/.test(text))).toEqual([false, true, true]);
  expect(told.map((text) => /keep, start, stop: at most/.test(text))).toEqual([false, false, true]);
});

test("where a plan does not say, the engine's wording and language are used; what a plan says wins", async () => {
  const { receiver, analyse } = await model(settings({ promptVersion: "1", language: "he" }));
  receiver.answer(completion(honest));
  const plan: PlanDefinition = {
    ...testPlan,
    engine: { ...testPlan.engine, prompt_version: "3" },
    summary: { ...testPlan.summary, language: "ar" },
  };
  const [own, plans] = [await analyse(plainCall, ["coaching"]), await analyse(plainCall, ["coaching"], { plan })];
  expect([own.engine.version, plans.engine.version]).toEqual(["1", "3"]);
  const told = receiver.received.map(saidTo);
  expect(told.map((text) => /BCP 47 code (\w+)/.exec(text)?.[1])).toEqual(["he", "ar"]);
  expect(told.map((text) => /keep, start, stop: at most/.test(text))).toEqual([false, true]);
});

test("a quote that nobody said makes the verdict unknown and the value invalid", async () => {
  const { receiver, analyse } = await model();
  const evidence = [{ turn: "T0", quote: "I love you, dear customer" }];
  receiver.answer(
    completion({
      extraction: { ...honest.extraction, city: { ...honest.extraction.city, value: "Haifa", evidence } },
      evaluation: { ...honest.evaluation, empathy: { ...honest.evaluation.empathy, score: 10, evidence } },
    }),
  );
  const { sections } = await analyse(plainCall, ["extraction", "evaluation"]);
  expect(sections.extraction).toMatchObject({
    value: [{ value: null, state: "invalid", candidates: ["Haifa"] }, { value: 4 }],
  });
  expect(sections.evaluation).toMatchObject({
    value: [{ verdict: "met" }, { verdict: "unknown", unknown_reason: "quote_not_found", points: null }],
  });
});

test("a criterion that the plan takes out of the count is out of it; nothing else can take one out", async () => {
  const { receiver, analyse } = await model();
  const plan = structuredClone(testPlan);
  const empathy = plan.rubric?.criteria[1];
  if (!empathy) throw new Error("no criterion");
  const answer = { ...honest.evaluation, empathy: { ...honest.evaluation.empathy, applies: false, score: null } };
  receiver.answer(completion({ evaluation: answer }));
  empathy.not_applicable_when = "The customer only asked for the opening hours.";
  const { sections } = await analyse(plainCall, ["evaluation"], { plan });
  expect(sections.evaluation).toMatchObject({
    value: [{ verdict: "met" }, { verdict: "not_applicable", points: null }],
  });
  expect(receiver.received[0]?.body.toString()).toContain("only asked for the opening hours");

  receiver.answer(completion({ evaluation: { ...answer, empathy: { ...answer.empathy, score: 0 } } }));
  empathy.not_applicable_when = null;
  const { sections: without } = await analyse(plainCall, ["evaluation"], { plan });
  expect(without.evaluation).toMatchObject({ ok: false, reason: "invalid_output" });
});

test("a verdict about the agent that rests on the customer's words is unknown", async () => {
  const { receiver, analyse } = await model();
  const evidence = [{ turn: "T1", quote: "Hello, I want to sell my flat" }];
  receiver.answer(
    completion({ evaluation: { ...honest.evaluation, empathy: { ...honest.evaluation.empathy, evidence } } }),
  );
  const { sections } = await analyse(plainCall, ["evaluation"]);
  expect(sections.evaluation).toMatchObject({ value: [{}, { verdict: "unknown", unknown_reason: "wrong_speaker" }] });
});

test("a value that has not the form of the plan is invalid, and the others stand", async () => {
  const { receiver, analyse } = await model();
  receiver.answer(
    completion({ extraction: { ...honest.extraction, rooms: { ...honest.extraction.rooms, value: 400 } } }),
  );
  const { sections } = await analyse(plainCall, ["extraction"]);
  expect(sections.extraction).toMatchObject({ value: [{ state: "found" }, { state: "invalid", candidates: [400] }] });
});

test("what was measured is told beside the call, and not as something that was said", async () => {
  const { receiver, analyse } = await model();
  receiver.answer(completion({ summary: honest.summary }));
  const value = {
    key: "talk_ratio",
    role: "agent",
    value: 0.25,
    unit: "ratio",
    basis: "audio_vad",
    null_reason: null,
    items: null,
  } as const;
  const metrics = [{ basis: "audio", definitions_version: "1", params: {}, values: [value] }] as const;
  await analyse(plainCall, ["summary"], { metrics: metrics.map((set) => ({ ...set, values: [...set.values] })) });
  const said = saidTo(receiver.received[0]);
  expect(said.slice(0, said.indexOf("\nDATA-"))).toContain('"key":"talk_ratio","role":"agent","value":0.25');
});

test("a server that reads far less than it is sent is told on", async () => {
  const { receiver, analyse } = await model();
  const turns = turnsOf(
    ...Array.from({ length: 200 }, () => ["agent", "a sentence that is said again and again in this call"] as const),
  );
  receiver.answer(
    completion(
      { summary: { ...honest.summary, next_steps: [], evidence: [] } },
      { usage: { prompt_tokens: 500, completion_tokens: 5 } },
    ),
  );
  expect((await analyse(turns, ["summary"])).flags).toEqual(["prompt_seems_cut"]);
});

test("nothing is asked where the plan has nothing for a model", async () => {
  const { receiver, analyse } = await model();
  const plan = { ...testPlan, fields: [], rubric: null };
  expect((await analyse(plainCall, ["extraction", "evaluation"], { plan })).sections).toEqual({});
  expect(receiver.received).toHaveLength(0);
});

test("Hebrew goes there and comes back letter by letter", async () => {
  const { receiver, analyse } = await model();
  const turns = turnsOf(
    ["agent", "שלום, מדברת דנה מנדל״ן הזריחה, במה אוכל לעזור לך היום? אשמח לשמוע הכול."],
    ["customer", "אני רוצה לשווק נכס בבית שאן"],
    ["agent", "בשמחה, אחזור אליך מחר בעשר בבוקר"],
  );
  const city = {
    state: "found",
    value: "בית שאן",
    candidates: [],
    confidence: 1,
    rationale: null,
    evidence: [{ turn: "T1", quote: "לשווק נכס בבית שאן" }],
  };
  receiver.answer(
    completion({
      summary: { ...honest.summary, text: "### בקשה\n- שיווק נכס בבית שאן", evidence: [] },
      extraction: { city, rooms: { ...city, state: "not_mentioned", value: null } },
    }),
  );
  const plan = { ...testPlan, summary: { ...testPlan.summary, language: "he" } };
  const { sections } = await analyse(turns, ["summary", "extraction"], { plan });
  expect(saidTo(receiver.received[0])).toContain("אני רוצה לשווק נכס בבית שאן");
  expect(saidTo(receiver.received[0])).toContain("BCP 47 code he");
  expect(sections.summary).toMatchObject({ value: { text: "### בקשה\n- שיווק נכס בבית שאן", language: "he" } });
  expect(sections.extraction).toMatchObject({
    value: [{ value: "בית שאן", evidence: [{ turn: 1 }] }, { state: "not_mentioned" }],
  });
});

test("a call longer than the context is read in parts, and the turns keep their ids", async () => {
  const { receiver, analyse } = await model(settings({ contextTokens: 6_000, outputTokensMax: 1_000 }));
  const filler = "we talked about the weather and the garden and the stairs and the neighbours for a while";
  const turns = turnsOf(
    ...Array.from({ length: 300 }, (_, i) => [i % 2 === 0 ? "agent" : "customer", `Turn ${i}: ${filler}`] as const),
    ["customer", "The flat is in Beit Shean."],
    ["agent", "I will send you an offer by tomorrow at noon."],
  );
  receiver.answer((request) => {
    const said = saidTo(request);
    if (!said.includes("take notes")) {
      const evidence = [{ turn: "T301", quote: "I will send you an offer" }];
      return completion({
        summary: { ...honest.summary, evidence, next_steps: [{ text: "Offer", owner: "agent", due: null, evidence }] },
      });
    }
    const last = [...said.matchAll(/"id":"(T\d+)","who":"(\w+)","at":"[\d:]+","text":"([^"]+)"/g)].at(-1);
    const [, turn = "", who = "", quote = ""] = last ?? [];
    return completion({
      points: [
        { note: "The last thing said", turn, who, quote, about: null },
        { note: "Made up", turn: "T1", who, quote: "never said", about: null },
      ],
    });
  });
  const { sections } = await analyse(turns, ["summary"]);
  expect(sections.summary).toMatchObject({
    ok: true,
    value: { next_steps: [{ evidence: [{ turn: 301, verification: "exact" }] }] },
  });
  const requests = receiver.received.map(saidTo);
  expect(requests.filter((said) => said.includes("take notes")).length).toBeGreaterThan(3);
  for (const said of requests) expect(said.length / 3.5).toBeLessThan(6_000);
  const reduced = requests.at(-1) ?? "";
  expect(reduced).toContain('"turn":"T301"');
  expect(reduced).not.toContain("never said");
  for (let i = 0; i < turns.length; i++) expect(requests.some((said) => said.includes(`"id":"T${i}"`))).toBe(true);
});
