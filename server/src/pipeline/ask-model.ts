import { createHash } from "node:crypto";

import type { EngineRef } from "@aftercall/contract/analysis/engine.ts";
import type { PlanDefinition } from "@aftercall/contract/analysis/plan.ts";

import { factOf } from "#/calls/project.ts";
import type { Db, Tx } from "#/db/transaction.ts";
import { otherModel } from "#/engines/engine.ts";
import type { Engines } from "#/engines/engines.ts";
import type {
  Analysis,
  Analyst,
  AnalystAnswer,
  Generated,
  KeptAnswers,
  LanguageSection,
} from "#/models/language/answer.ts";
import type { LanguageEngine } from "#/models/language/engine.ts";
import { asksForTopics } from "#/models/language/schema.ts";

import { findAnswer, keepAnswer } from "./answer-store.ts";
import { definitionFor } from "./applicable.ts";
import { beyondLimit, CostLimit } from "./cost-limit.ts";
import type { Dossier } from "./dossier.ts";

export type Asked = {
  readonly answer: AnalystAnswer;
  /** Whether this section is the one that the request is written down under: it was made once for all of them. */
  readonly isFirst: boolean;
};

/**
 * Asks the tenant's language model for a section of a call; `model`: another of its engine's, for the fields that the plan names
 * it for.
 */
export type AskModel = (
  dossier: Dossier,
  section: LanguageSection,
  again: number,
  model?: string | null,
) => Promise<Asked>;

export type AskModelDeps = {
  readonly db: Db;
  readonly engines: Pick<Engines, "noteCosts">;
  readonly analystOf: (engine: LanguageEngine) => Analyst;
  readonly timeZone: string;
};

/**
 * One request serves all sections of a call: who asks first makes it, the others wait for the same answer. A section that a
 * person had done again is asked for alone. What was answered is kept before anything is made of it, so that it is paid once.
 * Throws CostLimit where the plan lets a call cost less than asking would.
 */
export function createAskModel(deps: AskModelDeps, engine: LanguageEngine, signal: AbortSignal): AskModel {
  const asked = new Map<string, Promise<AnalystAnswer>>();
  return async (dossier, section, again, model = null) => {
    const plan = forModel(definitionFor(dossier), model);
    const sections = again > 0 || model !== null ? [section] : wantedSections(plan);
    const key = JSON.stringify([model, sections, again, dossier.found.transcript?.digest]);
    const isFirst = !asked.has(key);
    const by = model === null ? engine : otherModel(engine, model);
    const answer = asked.get(key) ?? ask(dossier, { plan, sections, again, engine: by });
    asked.set(key, answer);
    return { answer: await answer, isFirst };
  };

  async function ask(
    dossier: Dossier,
    {
      plan,
      sections,
      again,
      engine: by,
    }: Pick<Analysis, "plan" | "sections"> & { again: number; engine: LanguageEngine },
  ): Promise<AnalystAnswer> {
    const { found, seen, record } = dossier;
    const analyst = deps.analystOf(by);
    if (!found.words) throw new Error("a model is asked about a call without a transcript");
    let isAllowed = false;
    // What was answered before costs nothing; what is begun is brought to its end.
    const mayPay = () => {
      const tooMuch = isAllowed ? null : beyondLimit(dossier, by, sections);
      if (tooMuch !== null) throw new CostLimit(tooMuch);
      isAllowed = true;
    };
    return analyst.analyse({
      transcript: found.words,
      plan,
      sections,
      metrics: [found.audio, found.text].filter((set) => set !== null),
      facts: {
        outcome: seen.outcome,
        direction: factOf(record.state, "direction"),
        durationMs: seen.durationMs,
        startedAtMs: seen.startedAt,
        timeZone: deps.timeZone,
      },
      signal,
      answers: keptAnswers(deps, dossier, { engine: analyst.refOf(plan, sections), again, mayPay }),
    });
  }
}

/** The part of a plan that one model is asked about: the engine's own, or one that the plan names for some fields. */
function forModel(plan: PlanDefinition, model: string | null): PlanDefinition {
  const fields = plan.fields.filter(({ llm_override: other }) => other === model);
  return fields.length === plan.fields.length ? plan : { ...plan, fields };
}

/** What a plan needs a language model for. */
export function wantedSections(plan: PlanDefinition): LanguageSection[] {
  const { summary, fields, sentiment, rubric, coaching } = plan;
  const judges = rubric?.criteria.some(({ kind }) => kind === "check" || kind === "scale") ?? false;
  return [
    ...(summary.enabled ? (["summary"] as const) : []),
    ...(fields.some(({ kind }) => kind === "ai") ? (["extraction"] as const) : []),
    ...(asksForTopics(plan) ? (["topics"] as const) : []),
    ...(sentiment.enabled ? (["sentiment"] as const) : []),
    ...(judges ? (["evaluation"] as const) : []),
    ...(rubric && coaching.enabled ? (["coaching"] as const) : []),
  ];
}

type Asking = {
  readonly engine: EngineRef;
  readonly again: number;
  /** @throws CostLimit */
  readonly mayPay: () => void;
};

function keptAnswers({ db, engines }: AskModelDeps, dossier: Dossier, { engine, again, mayPay }: Asking): KeptAnswers {
  const { tenantId, callId } = dossier;
  const place = { tenantId, callId, step: "analyse" };
  // What a person had done again is asked again.
  const salted = (hash: Buffer) => (again === 0 ? hash : createHash("sha256").update(hash).update(`${again}`).digest());
  const inTransaction = <T>(work: (tx: Tx) => Promise<T>) => db.inTransaction([tenantId], work);
  return {
    async find(hash) {
      const key = { ...place, hash: salted(hash) };
      const kept = (await inTransaction((tx) => findAnswer(tx, key))) as Generated | null;
      if (!kept) mayPay();
      return kept;
    },
    async keep(hash, answer, cost) {
      const key = { ...place, hash: salted(hash) };
      await inTransaction(async (tx) => {
        const isNew = await keepAnswer(tx, key, { answer, engine, usage: answer.usage, cost });
        if (isNew) await engines.noteCosts(tx, { tenantId, callId, step: "analyse" }, cost);
      });
    },
  };
}
