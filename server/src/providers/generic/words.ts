import type { CallDirection, CallOutcome, CallStatus, Turn } from "@aftercall/contract/call.ts";

import type { Heard } from "../provider.ts";

/** Our words for where a call stands and how it went. */
export const words = [
  "queued",
  "ringing",
  "in_progress",
  "ended",
  "completed",
  "no_answer",
  "busy",
  "failed",
  "voicemail",
  "canceled",
  "transferred",
] as const;
export type Word = (typeof words)[number];

/** `In Progress` and `in-progress` are `in_progress`. */
export function folded(word: string): string {
  return word
    .trim()
    .toLowerCase()
    .replaceAll(/[\s.:/-]+/g, "_");
}

const usual: ReadonlyMap<string, Word> = new Map(
  Object.entries({
    queued: "queued scheduled created pending initiated initiating",
    ringing: "ringing dialing dialling alerting",
    in_progress: "in_progress inprogress answered active ongoing started connected live",
    ended: "ended end completed complete done finished hangup hung_up success successful closed terminated",
    no_answer: "no_answer noanswer unanswered not_answered missed did_not_answer",
    busy: "busy user_busy line_busy rejected declined",
    failed: "failed failure error errored",
    voicemail: "voicemail voice_mail machine answering_machine",
    canceled: "canceled cancelled aborted",
    transferred: "transferred forwarded",
  } satisfies Partial<Record<Word, string>>).flatMap(([word, theirs]) =>
    theirs.split(" ").map((one) => [one, word as Word] as const),
  ),
);

/** What a word means: what the settings say first, then the usual words, also behind `call.`; null for any other. */
export function wordFor(text: string | null, own: Readonly<Record<string, Word>>): Word | null {
  if (text === null) return null;
  const known = ownWord(text, own);
  if (known) return known;
  const word = folded(text);
  return usual.get(word) ?? usual.get(word.replace(/^call_/, "")) ?? null;
}

/** Looks a word up as it is written, then without regard to letter case. */
export function ownWord<Meaning>(text: string, own: Readonly<Record<string, Meaning>>): Meaning | null {
  if (Object.hasOwn(own, text)) return own[text] ?? null;
  const wanted = folded(text);
  return Object.entries(own).find(([theirs]) => folded(theirs) === wanted)?.[1] ?? null;
}

/** What a status and an outcome claim together. A call that ended without another word was completed. */
export function heardFrom(status: Word | null, outcome: Word | null): Heard | null {
  if (status === "queued" || status === "ringing" || status === "in_progress") return { status, outcome: null };
  const said =
    status === null || status === "ended" || status === "completed" ? (outcomeIn(outcome) ?? status) : status;
  if (said === null) return null;
  const how = outcomeIn(said) ?? "completed";
  return { status: finalStatus(how), outcome: how };
}

function outcomeIn(word: Word | null): CallOutcome | null {
  if (word === null || word === "queued" || word === "ringing" || word === "in_progress") return null;
  return word === "ended" ? "completed" : word;
}

function finalStatus(outcome: CallOutcome): CallStatus {
  return outcome === "failed" || outcome === "canceled" ? outcome : "ended";
}

/** `Inbound`, `incoming`, `inboundPhoneCall`. */
export function directionFor(text: string | null, own: Readonly<Record<string, CallDirection>>): CallDirection | null {
  if (text === null) return null;
  const known = ownWord(text, own);
  if (known) return known;
  const word = folded(text);
  if (word === "in" || /^in(?:bound|coming)/.test(word)) return "inbound";
  if (word === "out" || /^out(?:bound|going)/.test(word)) return "outbound";
  return /^(?:web|browser)/.test(word) ? "web" : null;
}

const usualRoles: ReadonlyMap<string, Turn["role"]> = new Map(
  Object.entries({
    agent: "agent assistant ai bot model",
    customer: "customer user caller human contact client lead",
    human_agent: "human_agent operator representative",
    system: "system",
    tool: "tool function tool_call tool_calls tool_result",
  }).flatMap(([role, theirs]) => theirs.split(" ").map((one) => [one, role as Turn["role"]] as const)),
);

export function roleFor(text: string | null, own: Readonly<Record<string, Turn["role"]>>): Turn["role"] {
  return (text && (ownWord(text, own) ?? usualRoles.get(folded(text)))) || "unknown";
}
