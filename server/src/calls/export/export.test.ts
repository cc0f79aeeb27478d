import type { Transcript, Turn } from "@aftercall/contract/call.ts";
import type { CallMoment } from "@aftercall/contract/moment.ts";
import { expect, test } from "vitest";

import { csvOf } from "./csv.ts";
import { srtOf, vttOf } from "./subtitles.ts";
import { plainTextOf } from "./text.ts";

const turn = (role: Turn["role"], text: string, start_ms: number | null, end_ms: number | null): Turn => ({
  role,
  text,
  start_ms,
  end_ms,
});
const call: Transcript = {
  text: "…",
  language: "he",
  turns: [
    turn("agent", "שלום, מדברים ממשרד התיווך", 0, 2_500),
    turn("customer", "אני מחפש דירה\nבבית שאן <b>&</b>", 3_661_045, null),
    turn("agent", "=1+1", 3_662_045, null),
  ],
};

test("TXT: who said what and when, line by line", () => {
  expect(plainTextOf(call, [])).toBe(
    "[00:00:00] Agent: שלום, מדברים ממשרד התיווך\n[01:01:01] Customer: אני מחפש דירה\nבבית שאן <b>&</b>\n[01:01:02] Agent: =1+1\n",
  );
});

test("SRT: numbered, with comma times, and a turn without an end makes room for the next one", () => {
  expect(srtOf(call)).toBe(
    "1\n00:00:00,000 --> 00:00:02,500\nAgent: שלום, מדברים ממשרד התיווך\n\n" +
      "2\n01:01:01,045 --> 01:01:02,045\nCustomer: אני מחפש דירה בבית שאן <b>&</b>\n\n" +
      "3\n01:01:02,045 --> 01:01:03,045\nAgent: =1+1\n",
  );
});

test("VTT: with voices, and nothing a caller says becomes markup", () => {
  expect(vttOf(call)).toContain(
    "01:01:01.045 --> 01:01:02.045\n<v Customer>אני מחפש דירה בבית שאן &lt;b&gt;&amp;&lt;/b&gt;\n",
  );
  expect(vttOf(call)?.startsWith("WEBVTT\n\n00:00:00.000 --> 00:00:02.500\n<v Agent>")).toBe(true);
});

test("CSV: Excel reads the Hebrew, keeps line breaks in their cell and runs no formula", () => {
  expect(csvOf(call, [])).toBe(
    "\uFEFFturn,role,start_ms,end_ms,confidence,text\r\n" +
      '0,agent,0,2500,,"שלום, מדברים ממשרד התיווך"\r\n' +
      '1,customer,3661045,,,"אני מחפש דירה\nבבית שאן <b>&</b>"\r\n' +
      "2,agent,3662045,,,'=1+1\r\n",
  );
});

const nothing = { end_ms: null, at: null, args: null, result: null, is_error: null, latency_ms: null };
const moment = (kind: CallMoment["kind"], at_ms: number | null, said: Partial<CallMoment> = {}): CallMoment => ({
  ...{ ...nothing, id: `${kind}:1`, kind, name: null, at_ms },
  ...said,
});

test("TXT and CSV: what happened besides talk stands where it happened", () => {
  const moments = [
    moment("tool_call", 2_600, { name: "find", args: { city: "חיפה" } }),
    moment("hold", 3_661_500, { end_ms: 3_662_000 }),
    moment("sms", null, { name: "=1+1" }),
  ];
  expect(plainTextOf(call, moments).split("\n")).toEqual([
    "[00:00:00] Agent: שלום, מדברים ממשרד התיווך",
    '[00:00:02] * tool_call find {"city":"חיפה"}',
    "[01:01:01] Customer: אני מחפש דירה",
    "בבית שאן <b>&</b>",
    "[01:01:01] * hold",
    "[01:01:02] Agent: =1+1",
    "* sms =1+1",
    "",
  ]);
  expect(csvOf(call, moments).split("\r\n").slice(2)).toEqual([
    ',tool_call,2600,,,"tool_call find {""city"":""חיפה""}"',
    '1,customer,3661045,,,"אני מחפש דירה\nבבית שאן <b>&</b>"',
    ",hold,3661500,3662000,,hold",
    "2,agent,3662045,,,'=1+1",
    ",sms,,,,sms =1+1",
    "",
  ]);
});

test("tools that the transcript has as turns are told once", () => {
  const withTools = { ...call, turns: [...call.turns, turn("tool", "find() → none", 3_663_000, null)] };
  const moments = [moment("tool_call", 2_600, { name: "find" }), moment("transfer", 9_999_000)];
  expect(plainTextOf(withTools, moments)).toMatch(/Tool: find\(\) → none\n\[02:46:39\] \* transfer\n$/);
  expect(plainTextOf(withTools, moments)).not.toContain("tool_call");
});

test("SRT and VTT: what is heard, and neither prompts nor tools", () => {
  const all = {
    ...call,
    turns: [turn("system", "You are polite.", 0, null), turn("tool", "find()", 5, null), ...call.turns],
  };
  expect([srtOf(all), vttOf(all)]).toEqual([srtOf(call), vttOf(call)]);
  const silent = { ...call, turns: [turn("system", "You are polite.", 0, null)] };
  expect(srtOf(silent)).toBeNull();
});

test("a transcript without times makes no subtitles, but a text", () => {
  const untimed: Transcript = { text: "Agent: hi", turns: [], language: null };
  expect([srtOf(untimed), vttOf(untimed), plainTextOf(untimed, [])]).toEqual([null, null, "Agent: hi\n"]);
});
