import type { Transcript, Turn } from "@aftercall/contract/call.ts";

import { durationOf, textOf } from "../read.ts";
import { transcriptOf } from "../transcript.ts";
import { find } from "./paths.ts";
import type { Found } from "./paths.ts";
import type { GenericSetup } from "./setup.ts";
import { roleFor } from "./words.ts";

/** A transcript that is text, a list of turns, or a list of lines. */
export function transcriptFrom(value: unknown, setup: GenericSetup, language: string | null): Transcript | null {
  if (!Array.isArray(value)) return transcriptOf({ turns: [], text: textOf(value), language });
  return transcriptOf({ turns: value.flatMap((item: unknown) => turnOf(item, setup)), language });
}

function turnOf(item: unknown, setup: GenericSetup): Turn[] {
  if (typeof item === "string")
    return item.trim() ? [{ role: "unknown", text: item, start_ms: null, end_ms: null }] : [];
  const { role, text, start, end } = setup.turns;
  const look = (paths: readonly string[]): Found | null => find({ turn: item }, ["turn"], paths);
  const said = textOf(look(text)?.value);
  if (said === null) return [];
  return [
    {
      role: roleFor(textOf(look(role)?.value), setup.role_words),
      text: said,
      start_ms: offsetOf(look(start), setup),
      end_ms: offsetOf(look(end), setup),
    },
  ];
}

function offsetOf(found: Found | null, { turns }: GenericSetup): number | null {
  if (!found) return null;
  const unit = turns.unit === "auto" ? (/ms$/i.test(found.path) ? "ms" : "s") : turns.unit;
  return durationOf(found.value, unit);
}
