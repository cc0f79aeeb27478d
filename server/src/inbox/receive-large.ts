import type { Clock } from "#/kernel/clock.ts";
import { AppError } from "#/kernel/errors.ts";
import type { IncomingWebhook } from "#/providers/incoming.ts";
import type { LargeBodies, StreamedVerification } from "#/providers/large.ts";
import { createLifter, LiftFailed, type Lifted, type Lifter } from "#/providers/lift.ts";
import type { Answer, EventResult, Provider } from "#/providers/provider.ts";
import type { StoredAudio } from "#/providers/recording.ts";
import type { Sources } from "#/sources/active.ts";

import { candidatesOf, type Judged, notStored } from "./receive.ts";
import { verifySource } from "./verify-source.ts";

export type ReceiveLargeDeps = {
  readonly sources: Sources;
  readonly clock: Clock;
  /** The inbox as for every other webhook, for a request that was verified while it came in. */
  readonly receive: (webhook: IncomingWebhook, judged: Judged) => Promise<Answer>;
  /** Holds a recording in a file of ours until it is known whose it is. */
  readonly hold: (source: AsyncIterable<Buffer>) => Promise<HeldAudio>;
  /** Removes what was stored for an event that was there already, or could not be stored. */
  readonly discard: (stored: StoredAudio) => Promise<void>;
};

export type HeldAudio = AsyncDisposable & {
  readonly bytes: number;
  store(tenantId: string): Promise<StoredAudio>;
};

/** Takes in a webhook whose body is a stream; `webhook.request.body` is empty. */
export type ReceiveLarge = (webhook: IncomingWebhook, body: AsyncIterable<Buffer>) => Promise<Answer>;

/**
 * Bodies that carry a recording and are too long to be held: the signature is computed over every byte while they come in, the
 * recording goes to the store, and the event keeps the rest with a reference in its place. Memory does not grow with the length.
 * @throws AppError when the body is longer than it may be, or breaks off.
 */
export function createReceiveLarge(deps: ReceiveLargeDeps): ReceiveLarge {
  return async (webhook, body) => {
    const receivedAt = deps.clock.now();
    const found = await candidatesOf(deps.sources, webhook);
    if ("answer" in found) return found.answer;
    const { provider, sources } = found;
    const { large } = provider;
    if (!large) throw tooLarge(provider.bodyBytesMax);
    const verification = large.begin(
      webhook.request.headers,
      sources.flatMap((source) => source.secrets),
    );
    const lifter = createLifter(large.member, provider.bodyBytesMax);
    await using audio = await hold(deps, provider, audioIn(body, verification, lifter));
    const verify: Provider["verify"] = (input) => verification.verify(input);
    const verdict = verifySource({ ...provider, verify }, sources, webhook.request, receivedAt);
    let carried: StoredAudio | null = null;
    try {
      carried = verdict.ok && audio.bytes > 0 ? await audio.store(verdict.source.tenantId) : null;
    } catch {
      return provider.answer(notStored(webhook.route), provider.setup.parse({}));
    }
    const request = { ...webhook.request, body: bodyWith(lifter.end(), carried) };
    let isKept = false;
    const onStored = (results: readonly EventResult[]) => {
      isKept = results.some(({ effect }) => effect !== "repeat");
    };
    const answer = await deps.receive({ ...webhook, request }, { verdict, onStored });
    if (carried && !isKept) await deps.discard(carried);
    return answer;
  };
}

async function* audioIn(
  body: AsyncIterable<Buffer>,
  verification: StreamedVerification<unknown>,
  lifter: Lifter,
): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    verification.update(chunk);
    const audio = lifter.push(chunk);
    if (audio.length > 0) yield audio;
  }
}

async function hold(deps: ReceiveLargeDeps, provider: Provider, source: AsyncIterable<Buffer>): Promise<HeldAudio> {
  try {
    return await deps.hold(source);
  } catch (error) {
    if (error instanceof LiftFailed) throw tooLarge(provider.bodyBytesMax);
    throw error;
  }
}

/** What stands in the event where the recording was: where it is now, or nothing when nobody will keep it. */
function bodyWith({ before, after, isFound }: Lifted, carried: StoredAudio | null): Buffer {
  return isFound ? Buffer.concat([before, Buffer.from(JSON.stringify(carried)), after]) : before;
}

function tooLarge(bytesMax: LargeBodies<unknown>["bytesMax"]): AppError {
  return new AppError(413, "too_large", `Without its recording the body is larger than ${bytesMax} bytes`);
}
