import { Tracker } from "@aftercall/contract/analysis/plan.ts";
import type { Transcript } from "@aftercall/contract/call.ts";
import { expect, test } from "vitest";

import { track } from "#/models/builtin/track.ts";
import { turnsOf } from "#/models/language/test-model.ts";

import { verifyQuote } from "./evidence.ts";
import { topicsOf } from "./topics.ts";

test("a call has the topics its trackers name, with how often and where they came up; what was not said is none", () => {
  const transcript: Transcript = {
    language: "en",
    text: "",
    turns: turnsOf(
      ["customer", "I want a refund, the price is wrong."],
      ["agent", "A refund takes a week. Shall I cancel as well?"],
      ["customer", "Yes, cancel it, and send the refund."],
    ),
  };
  const trackers = [
    { id: "cancel", name: "Cancels", topic: "Leaving", any_of: ["cancel"] },
    { id: "refund", name: "Refund", topic: "Money", any_of: ["refund"] },
    { id: "price", name: "Price", topic: "Money", any_of: ["price"] },
    { id: "delivery", name: "Delivery", topic: "Delivery", any_of: ["parcel"] },
    { id: "week", name: "Week", any_of: ["week"] },
  ].map((one) => Tracker.parse(one));
  const topics = topicsOf({ trackers: track(transcript, [], trackers), topics: [] });
  expect(topics.map(({ name, count }) => [name, count])).toEqual([
    ["Money", 4],
    ["Leaving", 2],
  ]);
  expect(topics[1]?.evidence.map(({ turn, quote }) => [turn, quote])).toEqual([
    [1, "cancel"],
    [2, "cancel"],
  ]);
});

test("what a model names joins what trackers say under one name, labelled by who said it; a place that both know counts once", () => {
  const turns = turnsOf(
    ["customer", "I want a refund, and where is my parcel?"],
    ["agent", "The refund takes a week."],
  );
  const tracker = Tracker.parse({ id: "refund", name: "Refund", topic: "Money", any_of: ["refund"] });
  const trackers = track({ language: "en", text: "", turns }, [], [tracker]);
  const said = (turn: number, quote: string) => verifyQuote({ turn, quote }, turns);
  const named = [
    { topic: "Delivery", evidence: [said(0, "where is my parcel")] },
    { topic: "Money", evidence: [said(0, "I want a refund"), said(1, "takes a week")] },
  ];
  expect(topicsOf({ trackers, topics: named }).map(({ name, methods, count }) => [name, methods, count])).toEqual([
    ["Money", ["tracker", "llm"], 3],
    ["Delivery", ["llm"], 1],
  ]);
});
