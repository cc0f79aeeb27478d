import { createHash } from "node:crypto";

import { isForm, readForm } from "../form.ts";
import { readJsonObject } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { callEvent, MalformedBody } from "../provider.ts";
import type { Alias, CallEvent, Facts, Heard, ProviderRequest } from "../provider.ts";
import { durationOf, idIfAny, idOf, keyOf, moneyOf, objectOf, phoneOf, textOf, timeOf } from "../read.ts";
import { analysisOf } from "./analysis.ts";
import { momentsFrom } from "./moments.ts";
import { find } from "./paths.ts";
import type { Found } from "./paths.ts";
import type { FieldName, GenericSetup } from "./setup.ts";
import { transcriptFrom } from "./transcript.ts";
import { directionFor, heardFrom, wordFor } from "./words.ts";

/**
 * Reads any JSON object or form by the source's settings.
 * @throws MalformedBody for what is neither, and for a body without a call's id where the settings refuse it.
 */
export function eventOf(request: ProviderRequest, setup: GenericSetup): CallEvent {
  const body: JsonObject = isForm(request) ? readForm(request.body) : readJsonObject(request.body);
  const look: Look = (field) => find(body, setup.roots, setup.fields[field]);
  const id = idOf(look("id")?.value, "id");
  if (id === null && setup.without_id === "refuse") throw new MalformedBody("Missing required field: id", "id");
  const type = textOf(look("type")?.value) ?? textOf(look("status")?.value) ?? "webhook";
  const told = {
    key: keyIn(request, look, id, setup),
    type: type.slice(0, 200),
    occurredAt: timeOf(look("time")?.value),
  };
  if (id === null) return callEvent({ ...told, isProcessable: false });
  const heard = heardIn(look, setup);
  const endedAt = heard?.outcome ? timeOf(look("ended_at")?.value) : null;
  const language = textOf(look("language")?.value);
  return callEvent({
    ...told,
    occurredAt: told.occurredAt ?? endedAt,
    aliases: aliasesOf(id, look, setup),
    heard,
    facts: {
      ...callFacts(look, setup),
      ...numberFacts(look, setup),
      ...textFacts(look),
      ...analysisFacts(look, language),
    },
    transcript: transcriptFrom(look("transcript")?.value, setup, language),
    moments: momentsFrom(look("moments")?.value),
  });
}

type Look = (field: FieldName) => Found | null;

/**
 * The same webhook sent again has the same key: by the sender's own id for it, else by its bytes. Another body about the same
 * call is always an event of its own; applying one twice changes nothing.
 */
function keyIn(request: ProviderRequest, look: Look, id: string | null, setup: GenericSetup): string {
  if (setup.verification.kind === "standard_webhooks") {
    // Of the two sets of headers the one that was verified.
    const name = request.headers.has("webhook-signature") ? "webhook-id" : "svix-id";
    const messageId = request.headers.get(name)?.[0]?.trim();
    if (messageId) return keyOf("message", messageId);
  }
  const eventId = idIfAny(look("event_id")?.value);
  if (eventId !== null) return keyOf("event", eventId);
  return keyOf("body", id, createHash("sha256").update(request.body).digest("hex"));
}

function aliasesOf(id: string, look: Look, { id_kind, id_prefix }: GenericSetup): Alias[] {
  const own: Alias = { kind: id_kind, value: bounded(id_prefix + id) };
  const callSid = idIfAny(look("call_sid")?.value);
  if (callSid === null || (own.kind === "call_sid" && own.value === callSid)) return [own];
  return [own, { kind: "call_sid", value: callSid }];
}

/** A prefix must not make an id longer than ids may be. */
function bounded(id: string): string {
  return Buffer.byteLength(id) <= 255 ? id : createHash("sha256").update(id).digest("hex");
}

/** The status field decides, then the type of the event (`call.ended`), then an outcome alone. */
function heardIn(look: Look, setup: GenericSetup): Heard | null {
  const word = (field: FieldName) => wordFor(wordIn(look(field)), setup.status_words);
  const heard = heardFrom(word("status") ?? word("type"), word("outcome"));
  if (heard || setup.without_status === "nothing") return heard;
  // A status that is there and not understood is not "no status".
  return look("status") ? null : { status: "ended", outcome: "completed" };
}

/** Some systems say `"inbound": true`: then `true` is a word that the settings can explain. */
function wordIn(found: Found | null): string | null {
  return typeof found?.value === "boolean" ? String(found.value) : textOf(found?.value);
}

function callFacts(look: Look, setup: GenericSetup): Facts {
  const url = textOf(look("recording_url")?.value);
  return {
    ...present("direction", directionFor(wordIn(look("direction")), setup.direction_words)),
    ...present("from_number", phoneOf(look("from")?.value)),
    ...present("to_number", phoneOf(look("to")?.value)),
    ...present("recording", url && { status: "available", url, duration_ms: null, channels: null }),
    ...present("metadata", objectOf(look("metadata")?.value)),
  };
}

function numberFacts(look: Look, setup: GenericSetup): Facts {
  const currency = textOf(look("currency")?.value)?.toUpperCase() ?? setup.currency;
  return {
    ...present("started_at", timeOf(look("started_at")?.value)),
    ...present("answered_at", timeOf(look("answered_at")?.value)),
    ...present("ended_at", timeOf(look("ended_at")?.value)),
    ...present("duration_ms", lengthOf(look("duration"), setup)),
    ...present("cost", /^[A-Z]{3}$/.test(currency) ? moneyOf(look("cost")?.value, currency) : null),
  };
}

function analysisFacts(look: Look, language: string | null): Facts {
  const analysis = objectOf(look("analysis")?.value);
  const said = analysis && Object.keys(analysis).length > 0 ? analysis : null;
  return {
    ...present("analysis", said),
    ...present("provider_analysis", analysisOf(textOf(look("summary")?.value), said, language)),
  };
}

function lengthOf(found: Found | null, { duration_unit }: GenericSetup): number | null {
  if (!found) return null;
  return durationOf(found.value, duration_unit === "auto" ? unitIn(found.path) : duration_unit);
}

/** `duration_ms`, `durationMinutes`; a length without a unit in its name is seconds. */
function unitIn(path: string): "ms" | "s" | "min" {
  if (/ms$|milli/i.test(path)) return "ms";
  return /min(?:ute)?s?$/i.test(path) ? "min" : "s";
}

const textFields = [
  "ended_reason",
  "summary",
  "language",
  "campaign",
  "lead_id",
  "business_id",
  "customer_name",
  "agent_id",
  "agent_name",
  "city",
  "service_category",
] as const satisfies readonly FieldName[];

function textFacts(look: Look): Facts {
  const facts: Record<string, string> = {};
  for (const field of textFields) {
    const text = textOf(look(field)?.value);
    if (text !== null) facts[field] = text;
  }
  return facts;
}

function present<Name extends keyof Facts>(name: Name, value: Facts[Name] | null | ""): Facts {
  return value === null || value === undefined || value === "" ? {} : { [name]: value };
}
