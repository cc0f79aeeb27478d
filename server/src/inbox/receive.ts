import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { IncomingWebhook } from "#/providers/incoming.ts";
import { providerNamed } from "#/providers/index.ts";
import { jsonAnswer, MalformedBody } from "#/providers/provider.ts";
import type { Answer, CallEvent, EventResult, Provider, Receipt, RouteKind } from "#/providers/provider.ts";
import type { ActiveSource, Sources } from "#/sources/active.ts";

import type { Batcher } from "./batch.ts";
import type { Quarantine } from "./quarantine.ts";
import { verifySource } from "./verify-source.ts";
import type { Verdict } from "./verify-source.ts";

export type ReceiveDeps = {
  readonly sources: Sources;
  readonly batcher: Batcher;
  readonly quarantine: Quarantine;
  readonly clock: Clock;
  /** Counts only senders that failed verification. */
  readonly flood: {
    allow(address: string): { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };
    failed(address: string): void;
  };
  readonly observe: (line: IntakeLine) => void;
  /** Holds an answer back until there is feedback on the training session that an event claimed, within a deadline. */
  readonly awaitFeedback: AwaitFeedback;
};

type AwaitFeedback = (
  tenantId: string,
  sessionId: string,
  claim: "claimed" | "exists",
) => Promise<"claimed" | "exists" | "pending" | "failed">;

/** What became of one webhook, for the log and the metrics. No content, no secrets. */
export type IntakeLine = {
  readonly provider: string;
  readonly tenant_id: string | null;
  readonly source_id: string | null;
  readonly route: "given" | "own";
  readonly result: string;
  readonly code: string | null;
  readonly verification: string | null;
  /** Why nothing was stored, in the database's own words: for the log and for nobody else. */
  readonly problem: string | null;
  readonly status: number;
  readonly body_bytes: number;
  readonly events: readonly {
    readonly id: string;
    readonly type: string;
    readonly effect: string;
    readonly call_id: string | null;
    readonly problem: string | null;
  }[];
  /** From the request being there to its signature being judged. */
  readonly verify_ms: number;
  /** The same to its being stored: what is left was waited for something that is made of it. */
  readonly stored_ms: number;
  /** From the request being there to its answer. */
  readonly duration_ms: number;
};

/** What was found out about a request while it came in, and who wants to know what became of it. */
export type Judged = {
  readonly verdict: Verdict;
  readonly onStored: (results: readonly EventResult[]) => void;
};

/**
 * Takes a webhook in: finds its source, verifies, reads, stores, and answers in the provider's words. `judged`: it was verified
 * while it came in.
 */
export function createReceive(deps: ReceiveDeps): (webhook: IncomingWebhook, judged?: Judged) => Promise<Answer> {
  return async (webhook, judged) => {
    const startedAt = deps.clock.monotonic();
    const receivedAt = deps.clock.now();
    const { request, route } = webhook;
    const found = await candidatesOf(deps.sources, webhook);
    if ("answer" in found) return found.answer;
    const { provider, sources } = found;
    const verdict = judged?.verdict ?? verifySource(provider, sources, request, receivedAt);
    const verifyMs = deps.clock.monotonic() - startedAt;
    let storedAt: number | null = null;
    const source = verdict.ok ? verdict.source : verdict.suspect;
    const { receipt, verification, problem = null } = await settle();
    const answer = provider.answer(receipt, source ? source.setup : provider.setup.parse({}));
    const endedAt = deps.clock.monotonic();
    const times = {
      verify_ms: tenths(verifyMs),
      stored_ms: tenths((storedAt ?? endedAt) - startedAt),
      duration_ms: tenths(endedAt - startedAt),
    };
    deps.observe({ ...lineOf(webhook, provider, source, receipt, answer), verification, problem, ...times });
    return answer;

    async function settle(): Promise<{ receipt: Receipt; verification: string | null; problem?: string }> {
      if (!verdict.ok) return { receipt: await refuse(verdict), verification: null };
      const verification = verdict.scheme;
      let events: CallEvent[];
      try {
        events = provider.parse({ request, setup: verdict.source.setup, receivedAtMs: receivedAt });
      } catch (error) {
        if (!(error instanceof MalformedBody)) throw error;
        await keep(verdict.source, "malformed", error.message);
        return { receipt: { kind: "malformed", route, message: error.message, field: error.field }, verification };
      }
      try {
        const results = await deps.batcher.add({
          tenantId: verdict.source.tenantId,
          sourceId: verdict.source.id,
          provider: provider.name,
          route,
          mayCreateCalls: route === "own" || mayCreate(provider, verdict.source),
          userId: verdict.source.userId,
          request,
          receivedAt,
          verification,
          events,
        });
        judged?.onStored(results);
        const { tenantId } = verdict.source;
        storedAt = deps.clock.monotonic();
        return { receipt: { kind: "stored", route, results: await withFeedback(tenantId, results) }, verification };
      } catch (error) {
        return { receipt: notStored(route), verification, problem: messageOf(error) };
      }
    }

    /** What is stored is answered as stored, whatever is not known about the feedback. */
    async function withFeedback(tenantId: string, results: readonly EventResult[]): Promise<readonly EventResult[]> {
      return Promise.all(
        results.map(async (result) => {
          const { training, event } = result;
          if (!event.training || result.problem !== null || (training !== "claimed" && training !== "exists"))
            return result;
          return { ...result, training: await deps.awaitFeedback(tenantId, event.training.sessionId, training) };
        }),
      );
    }

    async function refuse(refused: Verdict & { ok: false }): Promise<Receipt> {
      const gate = deps.flood.allow(webhook.remoteAddress);
      deps.flood.failed(webhook.remoteAddress);
      if (!gate.ok) return { kind: "too_many", route, retryAfterSeconds: gate.retryAfterSeconds };
      if (refused.suspect) await keep(refused.suspect, refused.code, null);
      return { kind: "unauthorized", route, code: refused.code };
    }

    async function keep(from: ActiveSource, reason: string, detail: string | null): Promise<void> {
      const { tenantId, id: sourceId } = from;
      await deps.quarantine.keep({
        tenantId,
        sourceId,
        provider: from.provider.name,
        route,
        reason,
        detail,
        request,
        receivedAt,
      });
    }
  };
}

/** The given systems of Twilio, LiveKit and Wonderful make a call they hear of first; the others look one up. */
function mayCreate(provider: Provider, source: ActiveSource): boolean {
  return provider.givenRoutesCreate || source.givenRoutesCreate;
}

/** The sources a webhook may belong to; or the answer, where there is none or the database cannot say. */
export async function candidatesOf(
  directory: Sources,
  webhook: IncomingWebhook,
): Promise<{ provider: Provider; sources: readonly ActiveSource[] } | { answer: Answer }> {
  const given = webhook.route === "given" ? providerNamed(webhook.provider) : undefined;
  try {
    if (webhook.route === "given") {
      return given ? { provider: given, sources: await directory.forGivenRoute(given.name) } : { answer: noSource };
    }
    const source = await directory.bySlug(webhook.source);
    return source ? { provider: source.provider, sources: [source] } : { answer: noSource };
  } catch {
    if (!given) return { answer: unavailable };
    return { answer: given.answer(notStored(webhook.route), given.setup.parse({})) };
  }
}

/** One sentence for every cause: the cause itself may name hosts and statements. It is the one of the Call Outcomes API. */
export function notStored(route: RouteKind): Receipt {
  return { kind: "unavailable", route, message: "Database connection failed" };
}

const unavailable: Answer = jsonAnswer(
  503,
  {
    type: "about:blank",
    title: "Unavailable",
    status: 503,
    detail: "The event was not stored. Send it again.",
    code: "unavailable",
  },
  { "retry-after": "5" },
);

const noSource: Answer = jsonAnswer(404, {
  type: "about:blank",
  title: "Not found",
  status: 404,
  detail: "No source has this URL. GET /v1/sources lists those that exist.",
  code: "source_not_found",
});

function lineOf(
  webhook: IncomingWebhook,
  provider: Provider,
  source: ActiveSource | null,
  receipt: Receipt,
  answer: Answer,
): Omit<IntakeLine, "verification" | "problem" | "verify_ms" | "stored_ms" | "duration_ms"> {
  const results = receipt.kind === "stored" ? receipt.results : [];
  return {
    provider: provider.name,
    tenant_id: source?.tenantId ?? null,
    source_id: source?.id ?? null,
    route: webhook.route,
    result: receipt.kind,
    code:
      receipt.kind === "unauthorized" ? receipt.code : receipt.kind === "malformed" ? (receipt.field ?? "body") : null,
    status: answer.status,
    body_bytes: webhook.request.body.length,
    events: results.map((one) => ({
      id: one.eventId,
      type: one.event.type,
      effect: one.effect,
      call_id: one.call?.id ?? null,
      problem: one.problem,
    })),
  };
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
