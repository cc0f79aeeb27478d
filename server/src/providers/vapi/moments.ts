import { hash } from "node:crypto";

import type { JsonObject } from "../json.ts";
import { type FoundMoment, jsonOrText, type Moment, momentsOf } from "../moment.ts";
import { durationOf, listOf, objectAt, objectOf, textOf, timeOf, wordOf } from "../read.ts";
import { transferOf } from "./facts.ts";
import { firstOf } from "./payload.ts";
import type { VapiMessage } from "./payload.ts";

/** What a report tells of the inside of its call: tools with their results, where it was passed on to, nodes of a workflow. */
export function momentsOfReport(said: VapiMessage): Moment[] {
  const messages = firstOf(said, "messages", listOf) ?? [];
  return momentsOf([
    ...messages.flatMap((item) => toolMoments(objectAt(item))),
    ...transfers({ ...said, message: { destination: said.message["destination"] ?? said.call["destination"] } }, null),
    ...listOf(said.artifact["nodes"]).map((node, i) => nodeMoment(objectAt(node), i)),
  ]);
}

/** The tools that a `tool-calls` message asks for: it comes while they are needed. */
export function momentsOfToolCalls({ message, at }: VapiMessage): Moment[] {
  return momentsOf(listOf(message["toolCallList"]).flatMap((call) => toolCall(objectAt(call), { at })));
}

/** Where the call is being passed on to. */
export function momentsOfTransfer(said: VapiMessage): Moment[] {
  return momentsOf(transfers(said, said.at));
}

function toolMoments(item: JsonObject): FoundMoment[] {
  const when = { at_ms: durationOf(item["secondsFromStart"], "s"), at: timeOf(item["time"]) };
  const role = wordOf(item["role"]);
  if (role === "tool_calls") return listOf(item["toolCalls"]).flatMap((call) => toolCall(objectAt(call), when));
  if (role !== "tool_call_result") return [];
  const ref = textOf(item["toolCallId"]);
  return [{ kind: "tool_result", ref, name: textOf(item["name"]), result: jsonOrText(item["result"]), ...when }];
}

function toolCall(call: JsonObject, when: Pick<FoundMoment, "at" | "at_ms">): FoundMoment[] {
  const called = objectAt(call["function"]);
  const name = textOf(called["name"]);
  if (name === null) return [];
  return [{ kind: "tool_call", ref: textOf(call["id"]), name, args: jsonOrText(called["arguments"]), ...when }];
}

/** To a number or SIP address, or, in a squad, to another assistant. */
function transfers(said: VapiMessage, at: number | null): FoundMoment[] {
  const destination = objectOf(said.message["destination"]);
  if (!destination) return [];
  const assistant = textOf(destination["assistantName"]) ?? textOf(destination["assistantId"]);
  const to = transferOf(said);
  // Named by its digest: two messages tell of the same transfer, and a name is no place for a number.
  if (to !== null) return [{ kind: "transfer", ref: hash("sha256", to).slice(0, 12), args: { destination: to }, at }];
  return assistant === null ? [] : [{ kind: "handoff", ref: assistant, name: assistant, at }];
}

function nodeMoment(node: JsonObject, number: number): FoundMoment {
  const first = objectAt(listOf(node["messages"])[0]);
  const when = { at_ms: durationOf(first["secondsFromStart"], "s"), at: timeOf(first["time"]) };
  return { kind: "node_enter", ref: String(number), name: textOf(node["nodeName"]), ...when };
}
