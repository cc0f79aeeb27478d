import { expect, test } from "vitest";

import { openLine } from "./line.ts";

const patient = { timeout: 60_000 };

test("what the caller says before the model is ready arrives in its order, and sound is never changed", async () => {
  const line = await openLine();
  line.model.isSilent = true;
  const { peer, stream } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  for (let sound = 1; sound <= 10; sound++) peer.play(20, sound);
  model.say({ type: "session.created" });
  await model.said.until(({ type }) => type === "session.update");
  expect(model.said.all.map(({ type }) => type)).toEqual(["session.update"]);
  model.say({ type: "session.updated" });
  peer.play(20, 11);
  await model.soundOf(220);
  const sounds = [...Buffer.from(model.sound())].filter((_byte, index) => index % 160 === 0);
  expect(sounds).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(model.sound()).toHaveLength(11 * 160);
  peer.send({ event: "stop" });
  await stream.done;
  await line.close();
});

test("of sound that waits for a model the last five seconds are kept", async () => {
  const line = await openLine();
  line.model.isSilent = true;
  const { peer, stream } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  peer.play(1_000, 1);
  peer.play(5_000, 2);
  model.say({ type: "session.created" });
  await model.said.until(({ type }) => type === "session.update");
  // Its answer to a mark that it never sent is nothing, and shows that everything before was heard.
  peer.send({ event: "mark", mark: { name: "9:9" } });
  peer.play(20, 2);
  model.say({ type: "session.updated" });
  await model.soundOf(5_000);
  expect(new Set(model.sound())).toEqual(new Set([2]));
  peer.send({ event: "stop" });
  await stream.done;
  await line.close();
});

test("a caller who breaks in stops the agent: the model is told to the millisecond what was heard, and late sound is dropped", async () => {
  const line = await openLine();
  const { peer, stream, notes, ended } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  const text = "one two three four five six seven eight nine ten";
  model.answer({ id: "a", ms: 5_000, text });
  await peer.said.when(() => peer.queuedMs === 5_000);
  peer.play(1_200);
  await model.soundOf(1_200);
  model.say({ type: "input_audio_buffer.speech_started", item_id: "caller_1", audio_start_ms: 1_150 });
  await peer.said.until(({ event }) => event === "clear");
  const truncate = await model.said.until(({ type }) => type === "conversation.item.truncate");
  expect(truncate).toMatchObject({ item_id: "item_a", content_index: 0, audio_end_ms: 1_200 });
  const media = () => peer.said.all.filter(({ event }) => event === "media").length;
  const before = media();
  const delta = Buffer.alloc(800).toString("base64");
  model.say({ type: "response.output_audio.delta", response_id: "resp_a", item_id: "item_a", content_index: 0, delta });
  model.answer({ id: "b", ms: 100 });
  await peer.said.when(() => media() > before);
  expect(media()).toBe(before + 1);
  peer.send({ event: "stop" });
  await stream.done;
  // 1.2 of 5 s and of the tenth of a second that came too late.
  expect(ended()[0]?.turns?.[0]).toMatchObject({ role: "agent", text: "one two", interrupted: true, generated: text });
  expect(notes.all.find(({ note }) => note === "said")?.turn).toEqual({
    ...{ role: "agent", text: "one two", start_ms: 0, end_ms: 1_200, interrupted: true },
  });
  await line.close();
});

test("of several answers that wait, the one in play is cut and the others are forgotten", async () => {
  const line = await openLine();
  const { peer, stream } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  for (const id of ["a", "b", "c"]) model.answer({ id, ms: 1_000 });
  await peer.said.when(() => peer.queuedMs === 3_000);
  peer.play(1_400);
  await model.soundOf(1_400);
  model.say({ type: "input_audio_buffer.speech_started", item_id: "caller_1", audio_start_ms: 1_400 });
  await model.said.until(({ type, item_id }) => type === "conversation.item.delete" && item_id === "item_c");
  const told = model.said.all.filter(({ type }) => /truncate|delete/.test(type));
  expect(told.map(({ type, item_id, audio_end_ms }) => [type, item_id, audio_end_ms])).toEqual([
    ["conversation.item.truncate", "item_b", 400],
    ["conversation.item.delete", "item_c", undefined],
  ]);
  peer.send({ event: "stop" });
  await stream.done;
  await line.close();
});

test("what was played to its end is never cut, nor is anything cleared then", async () => {
  const line = await openLine();
  const { peer, stream } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  model.answer({ id: "a", ms: 600, text: "Hello." });
  await peer.said.when(() => peer.queuedMs === 600);
  peer.play(1_000);
  await model.soundOf(1_000);
  model.heard("caller_1", 700, 980, "Hello yourself.");
  peer.play(20);
  await model.soundOf(1_020);
  peer.send({ event: "stop" });
  await stream.done;
  expect(peer.said.all.filter(({ event }) => event === "clear")).toEqual([]);
  expect(model.said.all.filter(({ type }) => /truncate|delete|cancel/.test(type))).toEqual([]);
  await line.close();
});

test("a mark that is lost counts as played when the next one comes back, and when enough time has gone by", async () => {
  const line = await openLine();
  const { peer, stream, ended } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  peer.loseMarks();
  model.answer({ id: "a", ms: 400, text: "You never told me." });
  await peer.said.when(() => peer.queuedMs === 400);
  peer.play(400);
  await model.soundOf(400);
  // Two seconds after the sound must have been heard, nobody waits for its marks.
  peer.play(2_020);
  await model.soundOf(2_420);
  model.heard("caller_1", 2_400, 2_410, "What?");
  peer.play(20);
  await model.soundOf(2_440);
  peer.send({ event: "stop" });
  await stream.done;
  expect(peer.said.all.filter(({ event }) => event === "clear")).toEqual([]);
  expect(ended()[0]?.turns?.[0]).toMatchObject({ text: "You never told me.", start_ms: 0, end_ms: 400 });
  await line.close();
});

test("a caller who speaks while the model only thinks clears the line, and its answer is not played any more", async () => {
  const line = await openLine();
  const { peer, stream } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  model.say({ type: "input_audio_buffer.speech_started", item_id: "caller_0", audio_start_ms: 0 });
  model.say({ type: "response.created", response: { id: "resp_a" } });
  model.say({ type: "input_audio_buffer.speech_started", item_id: "caller_1", audio_start_ms: 10 });
  await peer.said.until(({ event }) => event === "clear");
  model.answer({ id: "b", ms: 20, sound: 0x22 });
  const delta = Buffer.alloc(160, 0x11).toString("base64");
  model.say({ type: "response.audio.delta", response_id: "resp_a", item_id: "item_a", content_index: 0, delta });
  model.say({ type: "response.done", response: { id: "resp_a", status: "cancelled" } });
  model.answer({ id: "c", ms: 20, sound: 0x33 });
  await peer.said.when(() => peer.queuedMs === 40);
  peer.play(40);
  expect(new Set(peer.heard())).toEqual(new Set([0x22, 0x33]));
  expect(peer.said.all.filter(({ event }) => event === "clear")).toHaveLength(1);
  peer.send({ event: "stop" });
  await stream.done;
  await line.close();
});

test("hanging up ends the call once, and the model with it; what is no frame harms nobody", async () => {
  const line = await openLine();
  const { peer, stream, notes, ended, recordings } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  peer.send("{");
  peer.send('"text"');
  peer.send({ event: "media", media: {} });
  peer.send({ event: "start", start: { callSid: "CA2", streamSid: "MZ2" } });
  peer.send({ event: "nothing" });
  peer.play(40, 3);
  await model.soundOf(40);
  model.say({ type: "error", error: { code: "response_cancel_not_active", message: "There is nothing to cancel" } });
  model.say({ type: "input_audio_buffer.speech_started" });
  peer.send({ event: "stop", stop: {} });
  peer.send({ event: "stop", stop: {} });
  peer.cut();
  await stream.done;
  await model.closed;
  expect(notes.all.map(({ note }) => note)).toEqual(["began", "recorded", "ended"]);
  expect(ended()[0]).toMatchObject({ reason: "caller_hung_up", is_over: true, duration_ms: 40 });
  expect(recordings[0]?.length).toBe(58 + 2 * 320);
  await line.close();
});

test("a model that is lost is replaced once, and told what was said; a second loss ends the call", async () => {
  const line = await openLine();
  const { peer, stream, ended } = await line.call({ instructions: "Sell flowers.", say_on_failure: "One moment." });
  peer.start();
  const first = await line.model.connection(1);
  first.answer({ id: "a", ms: 200, text: "Which flowers?" });
  await peer.said.when(() => peer.queuedMs === 200);
  peer.play(1_000);
  await first.soundOf(1_000);
  first.heard("caller_1", 300, 900, "Roses, please.");
  first.say({ type: "response.created", response: { id: "resp_b" } });
  // Frames of both sides go their own ways: when this one is answered, those before it were heard.
  first.say({ type: "response.function_call_arguments.done", call_id: "tool_1", name: "order", arguments: "{}" });
  await first.said.until(({ item }) => item?.["type"] === "function_call_output");
  first.cut();
  const second = await line.model.connection(2);
  const update = await second.said.until(({ type }) => type === "session.update");
  expect(update.session?.instructions).toMatch(/^Sell flowers\.\n.*\nYou: Which flowers\?\nCaller: Roses, please\.\n/s);
  await second.said.until(({ type }) => type === "response.create");
  peer.play(20, 5);
  await second.soundOf(20);
  second.cut();
  await stream.done;
  expect(await peer.closed).toEqual({ code: 1000, reason: "model_lost" });
  // Twilio goes on with the sentence for that case, so only Twilio knows when the call is over.
  expect(ended()).toMatchObject([{ reason: "model_lost", is_over: false }]);
  await line.close();
});

test("a model that refuses the session, the key or the connection ends the call at once, with its reason", async () => {
  const line = await openLine();
  line.model.isSilent = true;
  const one = await line.call();
  one.peer.start();
  const model = await line.model.connection(1);
  model.say({ type: "error", error: { code: "invalid_value", message: "There is no such voice" } });
  await one.stream.done;
  expect(one.ended()).toMatchObject([{ reason: "model_refused", detail: "There is no such voice", is_over: true }]);

  line.model.refusesWith = 401;
  const other = await line.call();
  other.peer.start();
  await other.stream.done;
  expect(other.ended()).toMatchObject([{ reason: "model_refused", detail: "answered 401" }]);
  await line.close();
});

test("keys and calls of tools are moments of the call; the model hears of the keys, and that there is no such tool", async () => {
  const line = await openLine();
  const { peer, stream, ended } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  peer.play(100);
  await model.soundOf(100);
  peer.send({ event: "dtmf", dtmf: { track: "inbound_track", digit: "5" } });
  const key = await model.said.until(({ type }) => type === "conversation.item.create");
  expect(JSON.stringify(key.item)).toContain("pressed 5");
  const args = '{"city":"Haifa"}';
  model.say({ type: "response.created", response: { id: "resp_a" } });
  model.say({ type: "response.function_call_arguments.done", call_id: "tool_1", name: "find", arguments: args });
  await model.said.until(({ item }) => item?.["type"] === "function_call_output");
  // Asked for more in the middle of an answer, the model would refuse.
  expect(model.said.all.some(({ type }) => type === "response.create")).toBe(false);
  model.say({ type: "response.done", response: { id: "resp_a" } });
  await model.said.until(({ type }) => type === "response.create");
  peer.send({ event: "stop" });
  await stream.done;
  expect(ended()[0]?.moments).toMatchObject([
    { kind: "dtmf", at_ms: 100, args: { digits: "5" } },
    { kind: "tool_call", ref: "tool_1", name: "find", args: { city: "Haifa" } },
    { kind: "tool_result", ref: "tool_1", is_error: true },
  ]);
  await line.close();
});

test("what the caller said last is waited for, three seconds at most; every answer is counted", async () => {
  const line = await openLine();
  const { peer, stream, notes, ended } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  model.answer({ id: "a", ms: 100, text: "Yes?" });
  model.answer({ id: "b", ms: 100, text: "Anything else?" });
  await peer.said.when(() => peer.queuedMs === 200);
  peer.play(500);
  await model.soundOf(500);
  model.say({ type: "input_audio_buffer.speech_started", item_id: "late", audio_start_ms: 300 });
  model.say({ type: "input_audio_buffer.speech_stopped", item_id: "late", audio_end_ms: 480 });
  model.say({ type: "input_audio_buffer.speech_started", item_id: "never", audio_start_ms: 490 });
  model.say({ type: "input_audio_buffer.speech_stopped", item_id: "never", audio_end_ms: 499 });
  model.answer({ id: "c", ms: 20 });
  await peer.said.when(() => peer.queuedMs === 20);
  peer.send({ event: "stop" });
  await peer.closed;
  expect(ended()).toEqual([]);
  const transcribed = "conversation.item.input_audio_transcription.completed";
  model.say({
    type: transcribed,
    item_id: "late",
    transcript: "No, goodbye.",
    usage: { type: "tokens", input_tokens: 7 },
  });
  await notes.until(({ turn }) => turn?.["role"] === "customer");
  await expect.poll(() => line.clock.advance(3_000).then(() => ended().length), patient).toBe(1);
  await stream.done;
  expect(ended()[0]?.turns?.map(({ text }) => text)).toEqual(["Yes?", "Anything else?", "No, goodbye."]);
  expect(ended()[0]?.usage).toMatchObject({
    responses: 3,
    input_tokens: 300,
    cached_input_tokens: 120,
    output_tokens: 180,
  });
  await line.close();
});

test("a model that answers no pings is replaced", async () => {
  const line = await openLine({ modelAnswersPings: false });
  const { peer, stream } = await line.call();
  peer.start();
  peer.play(20);
  const first = await line.model.connection(1);
  await first.soundOf(20);
  await line.clock.advance(20_000);
  // Its answer to the ping goes before this sound.
  await peer.pinged;
  peer.play(20);
  await first.soundOf(40);
  await line.clock.advance(20_000);
  const second = await line.model.connection(2);
  peer.play(20);
  await second.soundOf(20);
  expect(line.model.connections.all).toHaveLength(2);
  peer.send({ event: "stop" });
  await stream.done;
  await line.close();
});

test("a stream that answers no pings ends the call", async () => {
  const line = await openLine();
  const { peer, stream, ended } = await line.call({}, {}, { answersPings: false });
  peer.start();
  peer.play(20);
  await (await line.model.connection(1)).soundOf(20);
  await line.clock.advance(20_000);
  await line.clock.advance(20_000);
  await stream.done;
  expect(ended()).toMatchObject([{ reason: "stream_lost" }]);
  await line.close();
});

test("a server that stops ends its calls, and so does a line on which nothing is played any more", async () => {
  const line = await openLine();
  const one = await line.call();
  one.peer.start();
  one.peer.play(20);
  await (await line.model.connection(1)).soundOf(20);
  one.stream.stop();
  await one.stream.done;
  expect(one.ended()).toMatchObject([{ reason: "stopping" }]);

  const slow = await line.call();
  slow.peer.start();
  const model = await line.model.connection(2);
  for (let id = 0; id < 61; id++) model.answer({ id: String(id), ms: 10_000, pieceMs: 10_000 });
  await slow.stream.done;
  expect(slow.ended()).toMatchObject([{ reason: "slow_stream", detail: "Nothing is played any more" }]);
  await line.close();
});

test("two hundred turns, many of them cut off, leave a transcript and a recording without a hole", async () => {
  const line = await openLine();
  const { peer, stream, ended, recordings } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  let passedMs = 0;
  for (let turn = 0; turn < 100; turn++) {
    const isCut = turn % 3 === 0;
    model.answer({ id: String(turn), ms: 400, pieceMs: 20, text: `Answer ${turn}.` });
    // oxlint-disable-next-line no-await-in-loop -- A call is one thing after the other.
    await peer.said.when(() => peer.queuedMs === 400);
    peer.play(isCut ? 300 : 500);
    passedMs += isCut ? 300 : 500;
    // oxlint-disable-next-line no-await-in-loop -- As above.
    await model.soundOf(passedMs);
    model.heard(`caller_${turn}`, passedMs, passedMs, `Question ${turn}?`);
    // oxlint-disable-next-line no-await-in-loop -- As above.
    if (isCut) await peer.said.when(() => peer.queuedMs === 0);
  }
  peer.send({ event: "stop" });
  await stream.done;
  const { turns = [], duration_ms, usage } = ended()[0] ?? {};
  expect(turns).toHaveLength(200);
  expect(turns.filter(({ interrupted }) => interrupted)).toHaveLength(34);
  expect(turns.map(({ start_ms }) => start_ms)).toEqual(
    turns.map(({ start_ms }) => Number(start_ms)).toSorted((a, b) => a - b),
  );
  expect(duration_ms).toBe(passedMs);
  expect(recordings[0]?.length).toBe(58 + passedMs * 16);
  expect(usage).toMatchObject({ responses: 100 });
  await line.close();
});

test("a stream without a good token is closed and nothing is noted of it", async () => {
  const line = await openLine();
  for (const changes of [
    { callSid: "CA-another" },
    { customParameters: {} },
    { customParameters: { token: "a.b.c" } },
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- One stream after the other.
    const { peer, notes } = await line.call();
    peer.start(changes);
    // oxlint-disable-next-line no-await-in-loop -- As above.
    expect(await peer.closed).toEqual({ code: 1008, reason: "the token is not good" });
    expect(notes.all).toEqual([]);
  }
  const late = await line.call();
  await line.clock.advance(60_000);
  expect(await late.peer.closed).toEqual({ code: 1008, reason: "no start came" });
  await line.close();
});

test("a token counts once: who shows it again is refused, and the call that it began goes on", async () => {
  const line = await openLine();
  const { peer } = await line.call({}, { note: async () => "repeat" });
  peer.start();
  expect(await peer.closed).toEqual({ code: 1008, reason: "the token was used" });
  expect(line.model.connections.all).toEqual([]);
  await line.close();
});

test("the end of a call is stored when the database is back; a recording of a call that is erased is not kept", async () => {
  const line = await openLine();
  let failures = 2;
  const stored: unknown[] = [];
  // What is heard of an erased call counts as known already.
  const { peer, stream, discarded } = await line.call(
    {},
    {
      async note(_source, note) {
        const isEnd = "note" in note && note.note === "ended";
        if (isEnd && failures-- > 0) throw new Error("no database");
        if (isEnd) stored.push(note);
        return "note" in note && note.note === "recorded" ? "repeat" : "new";
      },
    },
  );
  peer.start();
  const model = await line.model.connection(1);
  peer.play(20);
  await model.soundOf(20);
  peer.send({ event: "stop" });
  await expect.poll(() => line.clock.advance(2_000).then(() => stored.length), patient).toBe(1);
  await stream.done;
  expect(discarded).toHaveLength(1);
  await line.close();
});

test("the recording has the caller on the left and the agent on the right, where it was heard", async () => {
  const line = await openLine();
  const { peer, stream, recordings } = await line.call();
  peer.start();
  const model = await line.model.connection(1);
  peer.play(200, 0x01);
  await model.soundOf(200);
  model.answer({ id: "a", ms: 400, sound: 0x02 });
  await peer.said.when(() => peer.queuedMs === 400);
  peer.play(200, 0x03);
  await model.soundOf(400);
  model.say({ type: "input_audio_buffer.speech_started", item_id: "caller_1", audio_start_ms: 390 });
  await peer.said.until(({ event }) => event === "clear");
  peer.play(200, 0x04);
  await model.soundOf(600);
  peer.send({ event: "stop" });
  await stream.done;
  const sound = recordings[0]?.subarray(58) ?? Buffer.alloc(0);
  const runs = (channel: number) => {
    const found: [sound: number, ms: number][] = [];
    for (let at = channel; at < sound.length; at += 2) {
      const last = found.at(-1);
      const byte = sound[at] ?? 0;
      if (last?.[0] === byte) last[1] += 1 / 8;
      else found.push([byte, 1 / 8]);
    }
    return found;
  };
  expect(runs(0)).toEqual([...[[0x01, 200] as const, [0x03, 200] as const, [0x04, 200] as const]]);
  expect(runs(1)).toEqual([...[[0xff, 200] as const, [0x02, 200] as const, [0xff, 200] as const]]);
  await line.close();
});
