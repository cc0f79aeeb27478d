import type { CostLine } from "@aftercall/contract/analysis/engine.ts";

import type { CallEvent } from "#/providers/provider.ts";

/**
 * What a fixture must come to, short enough to compare with a table by eye. What is not said is left out; times are ISO
 * 8601, `duration_ms` is the stated one or end minus start, objects that are kept as sent appear as their keys.
 */
export type NormalForm = Readonly<Record<string, unknown>>;

export function normalFormOf(event: CallEvent): NormalForm {
  const { facts, guesses, heard, transcript } = event;
  const { direction, from_number, to_number, recording, ...stated } = facts;
  return compact({
    type: event.type,
    key: event.key,
    at: isoOf(event.occurredAt),
    names: event.aliases.map(({ kind, value }) => `${kind} ${value}`),
    status: heard?.status,
    outcome: heard?.outcome,
    only: heard?.unless && `unless ${heard.unless}`,
    direction: direction ?? (guesses.direction && `${guesses.direction}?`),
    from: from_number ?? (guesses.from_number && `${guesses.from_number}?`),
    to: to_number ?? (guesses.to_number && `${guesses.to_number}?`),
    duration_ms: durationOf(event),
    recording: recording && [recording.status, recording.url ?? "", lengthOf(recording)].join(" ").trim(),
    facts: factsOf(stated),
    guesses: factsOf({ ...guesses, direction: null, from_number: null, to_number: null }),
    weight: event.weight === 5 ? null : event.weight,
    turns:
      transcript &&
      transcript.turns.map(({ role, start_ms, end_ms }) =>
        [role, start_ms ?? (end_ms === null ? "" : "?"), end_ms].join(" ").trim(),
      ),
    text: transcript?.text,
    transcript_language: transcript?.language,
    moments: event.moments.map(({ kind, ref, ...said }) => [kind, ref, JSON.stringify(said)].join(" ")),
    training: event.training,
    echo: event.echo,
    flags: [
      ...(event.isProcessable ? [] : ["not processable"]),
      ...(event.isKnown ? [] : ["unknown"]),
      ...(event.isReport ? ["report"] : []),
      ...(event.awaitsReport ? ["awaits report"] : []),
    ],
  });
}

function durationOf({ facts, guesses }: CallEvent): number | null {
  const stated = facts.duration_ms ?? guesses.duration_ms ?? null;
  if (stated !== null) return stated;
  const start = facts.started_at ?? guesses.started_at ?? null;
  const end = facts.ended_at ?? guesses.ended_at ?? null;
  return start === null || end === null ? null : end - start;
}

function factsOf(facts: Readonly<Record<string, unknown>>): unknown {
  const shown = Object.entries(facts).map(([name, value]) => [name, shownAs(name, value)]);
  return compact(Object.fromEntries(shown));
}

function shownAs(name: string, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (name.endsWith("_at") && typeof value === "number") return isoOf(value);
  if (name === "cost") {
    const { amount, currency } = value as { amount: string; currency: string };
    return `${amount} ${currency}`;
  }
  if (name === "cost_lines") return (value as readonly CostLine[]).map(lineOf);
  if (name === "provider_analysis") return compact(value as Record<string, unknown>);
  if (name === "metadata") return Object.keys(value).toSorted();
  return ["analysis", "provider_metadata"].includes(name) ? Object.keys(value).toSorted().join(", ") : value;
}

function lineOf({ component, provider, model, quantity, unit, money }: CostLine): string {
  return [component, provider, model ?? "-", quantity, unit, money ? `${money.amount} ${money.currency}` : "-"].join(
    " ",
  );
}

function lengthOf({ duration_ms, channels }: { duration_ms: number | null; channels: number | null }): string {
  return [duration_ms === null ? "" : `${duration_ms} ms`, channels === null ? "" : `${channels} ch`].join(" ").trim();
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** Without what is not said: null, empty lists, empty objects. */
function compact(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => {
      if (item === null || item === undefined || item === "") return false;
      return typeof item !== "object" || Object.keys(item).length > 0;
    }),
  );
}
