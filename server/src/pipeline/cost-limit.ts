import type { CostLine, Usage } from "@aftercall/contract/analysis/engine.ts";
import type { Money } from "@aftercall/contract/call.ts";

import { billionths, decimalOf } from "#/engines/decimal.ts";
import { pricing } from "#/engines/price.ts";
import { estimateOf } from "#/evaluation/estimate.ts";
import type { LanguageSection } from "#/models/language/answer.ts";
import type { LanguageEngine } from "#/models/language/engine.ts";
import type { SpeechEngine } from "#/models/speech/engine.ts";
import { unknownUsage } from "#/models/usage.ts";

import type { Dossier } from "./dossier.ts";

/** What would be asked for costs more than the plan lets a call cost; the message says how much. */
export class CostLimit extends Error {}

/**
 * Why a language model is not asked for these sections of a call: with what engines have cost so far it would go beyond the
 * plan's `max_cost`. Null where it may be asked. What has no known price cannot be held against a limit.
 */
export function beyondLimit(
  dossier: Dossier,
  engine: LanguageEngine,
  sections: readonly LanguageSection[],
): string | null {
  const { plan, found } = dossier;
  if (!plan.definition.gates.max_cost) return null;
  const characters = found.words?.turns.reduce((sum, { text }) => sum + text.length, 0) ?? 0;
  const asked = { calls: 1, characters, plan: plan.definition, sections };
  const { input_tokens, output_tokens } = estimateOf(asked, { model: engine.model, moneyFor: () => null });
  return tooMuch(dossier, engine, "llm", { ...unknownUsage, input_tokens, output_tokens });
}

/** The same for turning a recording into text: each channel of it is listened to. */
export function soundBeyondLimit(dossier: Dossier, engine: SpeechEngine): string | null {
  const { facts } = dossier.found.recording ?? {};
  if (!facts || !dossier.plan.definition.gates.max_cost) return null;
  return tooMuch(dossier, engine, "stt", { ...unknownUsage, audio_ms: facts.durationMs * facts.channels });
}

function tooMuch(
  { plan, steps }: Dossier,
  { provider, model, price }: LanguageEngine | SpeechEngine,
  component: "llm" | "stt",
  usage: Usage,
): string | null {
  const limit = plan.definition.gates.max_cost;
  const expected = moneyIn(pricing(price)({ component, provider, model, usage }));
  if (!limit || expected.length === 0) return null;
  const foreign = expected.find(({ currency }) => currency !== limit.currency);
  if (foreign) return `The plan's limit is in ${limit.currency}, and the engine costs ${foreign.currency}.`;
  const spent = moneyIn([...steps.values()].flatMap(({ cost }) => cost)).filter(isIn(limit));
  const sum = sumOf(spent) + sumOf(expected);
  if (sum <= billionths(limit.amount)) return null;
  const [so, more, most] = [sumOf(spent), sumOf(expected), billionths(limit.amount)].map(decimalOf);
  return `The plan lets a call cost ${most} ${limit.currency}: ${so} are spent, and about ${more} would be added.`;
}

function moneyIn(lines: readonly CostLine[]): Money[] {
  return lines.flatMap(({ money }) => money ?? []);
}

function isIn(limit: Money) {
  return ({ currency }: Money) => currency === limit.currency;
}

function sumOf(money: readonly Money[]): bigint {
  return money.reduce((sum, { amount }) => sum + billionths(amount), 0n);
}
