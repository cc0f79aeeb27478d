import { hash } from "node:crypto";

import type { Db } from "#/db/transaction.ts";
import type { Log } from "#/kernel/log.ts";
import { MalformedBody } from "#/providers/provider.ts";
import type { ListedCall, Pull, PullRequest, WantedCall } from "#/providers/pull.ts";
import type { ActiveSource, Sources } from "#/sources/active.ts";

import type { Batcher } from "../batch.ts";
import type { BatchContext } from "../store-batch.ts";
import { tell } from "../tell.ts";
import { ask, type AskDeps, PullStopped } from "./ask.ts";
import { pullLimits } from "./limits.ts";
import {
  forgetAsked,
  knownCalls,
  noteAsked,
  openCalls,
  type OpenCall,
  pollOf,
  type PollRow,
  privateTargetsOf,
  savePoll,
} from "./store.ts";

export type PullDeps = AskDeps & {
  readonly db: Db;
  readonly sources: Pick<Sources, "byId">;
  readonly batcher: Pick<Batcher, "add">;
  readonly context: BatchContext;
  readonly log: Log;
};

/**
 * Asks the provider of one source for what its webhooks did not say: about calls of which nobody said the end, and which calls
 * there were lately. Each answer is stored as an event with its bytes and applied like a webhook, so it may be run any number of
 * times. What a provider can cause ends the turn and is written down; nothing is thrown for it.
 */
export async function pullSource(
  deps: PullDeps,
  { tenantId, sourceId }: { readonly tenantId: string; readonly sourceId: string },
  signal: AbortSignal,
): Promise<void> {
  const { db, clock } = deps;
  const source = await deps.sources.byId(tenantId, sourceId);
  const pull = source?.provider.pull;
  if (!source || !pull) return;
  const startedAt = clock.now();
  const last = await db.inTransaction([tenantId], (tx) => pollOf(tx, tenantId, sourceId));
  const since = last?.listed_until
    ? last.listed_until.getTime() - pullLimits.overlapMs
    : startedAt - pullLimits.firstListMs;
  const turn = await createTurn(deps, source, pull, signal);
  const isOff = pull.list({ secrets: source.secrets, setup: source.setup, nowMs: startedAt, sinceMs: since }) === null;
  let outcome: Pick<PollRow, "result" | "detail"> = { result: isOff ? "off" : "ok", detail: null };
  let listedUntil = last?.listed_until ?? null;
  let waitMs: number | null = null;
  try {
    if (!isOff) {
      await turn.askOpenCalls();
      if (await turn.askList(since)) listedUntil = new Date(startedAt);
    }
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof PullStopped) {
      outcome = { result: error.result, detail: error.message };
      waitMs = error.waitMs;
    } else if (error instanceof MalformedBody) outcome = { result: "unreadable", detail: error.message };
    else throw error;
  }
  const failures = outcome.result === "ok" || isOff ? 0 : (last?.failure_count ?? 0) + 1;
  const pause = Math.min(pullLimits.everyMs * 2 ** Math.min(failures, 20), pullLimits.pauseMsMax);
  const due = clock.now() + (failures === 0 ? pullLimits.everyMs : Math.max(pause, waitMs ?? 0));
  await db.inTransaction([tenantId], async (tx) => {
    await forgetAsked(tx, tenantId, sourceId);
    await savePoll(tx, {
      ...{ tenant_id: tenantId, source_id: sourceId, ...outcome },
      due_at: new Date(due),
      polled_at: new Date(startedAt),
      request_count: turn.requests(),
      found_count: turn.found(),
      failure_count: failures,
      listed_until: listedUntil,
    });
  });
  const line = { source_id: sourceId, provider: source.provider.name, result: outcome.result, failures };
  deps.log.info({ ...line, requests: turn.requests(), found: turn.found() }, "pull");
}

async function createTurn(deps: PullDeps, source: ActiveSource, pull: Pull<unknown>, signal: AbortSignal) {
  const { db, clock } = deps;
  const { tenantId, id: sourceId, provider, setup, secrets } = source;
  const privateTargets = await db.inTransaction([tenantId], (tx) => privateTargetsOf(tx, tenantId));
  let requests = 0;
  let found = 0;
  return { askOpenCalls, askList, requests: () => requests, found: () => found };

  async function askOpenCalls(): Promise<void> {
    const wanted = {
      ...{ tenantId, sourceId, provider: provider.name, kind: provider.callAlias },
      now: new Date(clock.now()),
      staleBefore: new Date(clock.now() - pullLimits.staleMs),
      asksMax: pullLimits.callWaitsMs.length,
      limit: pullLimits.staleCallsMax,
    };
    for (const call of await db.inTransaction([tenantId], (tx) => openCalls(tx, wanted))) {
      // oxlint-disable-next-line no-await-in-loop -- One request at a time is the rate.
      await askAboutOpen(call);
    }
  }

  /** True when every call of the list was looked at: the next list need not go back as far. */
  async function askList(sinceMs: number): Promise<boolean> {
    let next = pull.list({ secrets, setup, nowMs: clock.now(), sinceMs });
    for (let page = 0; next !== null && page < pullLimits.pagesMax; page++) {
      if (requests >= pullLimits.requestsMax) return false;
      // oxlint-disable-next-line no-await-in-loop -- A page names the next one.
      const answer = await request(next);
      if (answer.kind === "gone") return true;
      const listed = pull.readList({ secrets, setup, nowMs: clock.now(), url: next.url, body: answer.body });
      // oxlint-disable-next-line no-await-in-loop -- As above.
      if (!(await askAboutListed(listed.calls))) return false;
      next = listed.next;
    }
    // More calls than one turn lists: providers list the newest first, and the older ones were new in a turn before.
    return true;
  }

  /** What a list says of calls is not enough to make them of: those that are not known to the end are asked about. */
  async function askAboutListed(listed: readonly ListedCall[]): Promise<boolean> {
    const settledBefore = clock.now() - pullLimits.graceMs;
    const over = listed.filter((call) => call.isOver && (call.endedAt === null || call.endedAt <= settledBefore));
    const names = over.flatMap((call) => nameIn(call) ?? []);
    const known = new Map(
      (
        await db.inTransaction([tenantId], (tx) => knownCalls(tx, { tenantId, sourceId }, provider.callAlias, names))
      ).map((one) => [one.value, one]),
    );
    const asked = new Set<string>();
    for (const call of over) {
      const name = nameIn(call) ?? "";
      const ours = known.get(name);
      const isComplete =
        ours?.is_over && ours.is_told && !ours.misses_report && (!call.hasRecording || ours.has_recording);
      if (isComplete || asked.has(name)) continue;
      if (requests >= pullLimits.requestsMax) return false;
      asked.add(name);
      // oxlint-disable-next-line no-await-in-loop -- One request at a time is the rate.
      await askAbout(call);
    }
    return true;
  }

  function nameIn(call: WantedCall): string | null {
    return call.aliases.find((alias) => alias.kind === provider.callAlias)?.value ?? null;
  }

  async function askAboutOpen(call: OpenCall): Promise<void> {
    if (requests >= pullLimits.requestsMax) return;
    const result = await askAbout({ aliases: call.aliases, roomName: call.room_name });
    if (result === null) return;
    const askCount = call.ask_count + 1;
    const wait = pullLimits.callWaitsMs[askCount];
    await db.inTransaction([tenantId], (tx) =>
      noteAsked(tx, {
        ...{ tenantId, sourceId, callId: call.id, askCount, result },
        dueAt: new Date(clock.now() + (wait ?? 0)),
      }),
    );
    // A call that had begun, and of which nobody knows the end after a day and a half of asking.
    if (wait === undefined && call.progress !== null && call.progress !== "queued") await giveUpOn(call);
  }

  async function giveUpOn(call: OpenCall): Promise<void> {
    const afterCommit = await db.inTransaction([tenantId], async (tx) => {
      const heard = { status: "timeout", outcome: null } as const;
      const said = {
        tenantId,
        provider: provider.name,
        aliases: call.aliases.slice(0, 1),
        facts: {},
        heard,
        userId: null,
      };
      return (await tell(tx, deps.context, said)).afterCommit;
    });
    for (const run of afterCommit) run();
  }

  /** Null: there is no way to ask. */
  async function askAbout(call: WantedCall): Promise<"found" | "not_found" | "unreadable" | null> {
    const questions = pull.call({ secrets, setup, nowMs: clock.now(), aliases: call.aliases, roomName: call.roomName });
    if (questions.length === 0) return null;
    let result: "found" | "not_found" | "unreadable" = "not_found";
    let isNew = false;
    for (const question of questions) {
      // oxlint-disable-next-line no-await-in-loop -- One request at a time is the rate.
      const answer = await request(question);
      if (answer.kind === "gone") continue;
      // oxlint-disable-next-line no-await-in-loop -- As above.
      const stored = await store(question, answer);
      if (stored === null) result = "unreadable";
      else if (result !== "unreadable") result = "found";
      isNew ||= stored === true;
    }
    if (isNew) found++;
    return result;
  }

  function request(question: PullRequest) {
    requests++;
    return ask(deps, question, { privateTargets, signal });
  }

  /** Stores an answer as the event that it is; true when it was a new one, null when it could not be read. */
  async function store(
    question: PullRequest,
    answer: { readonly body: Buffer; readonly contentType: string },
  ): Promise<boolean | null> {
    const received = clock.now();
    const headers = new Map([["content-type", [answer.contentType || "application/json"]]]);
    const input = { method: question.method, url: question.url, headers, body: answer.body };
    let events;
    try {
      events = pull.read({ request: input, setup, receivedAtMs: received });
    } catch (error) {
      if (!(error instanceof MalformedBody)) throw error;
      const digest = hash("sha256", answer.body, "hex").slice(0, 12);
      deps.log.warn({ source_id: sourceId, digest, problem: error.message }, "a pulled answer could not be read");
      return null;
    }
    if (events.length === 0) return false;
    const results = await deps.batcher.add({
      ...{ tenantId, sourceId, provider: provider.name, route: "own", mayCreateCalls: true, userId: source.userId },
      ...{ request: input, receivedAt: received, verification: "pulled", events },
    });
    return results.some(({ effect }) => effect !== "repeat");
  }
}
