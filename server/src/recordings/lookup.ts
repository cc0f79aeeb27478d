import { HttpFailure } from "#/kernel/net/failure.ts";
import type { RecordingAsk } from "#/providers/recording.ts";

import type { RecordingDeps } from "./deps.ts";
import { recordingLimits } from "./limits.ts";
import { NotFetched } from "./not-fetched.ts";

/** Asks a provider's API where the recording is. No redirect is followed: the request carries a key. @throws NotFetched */
export async function lookUp(
  { http }: Pick<RecordingDeps, "http">,
  ask: Extract<RecordingAsk, { kind: "lookup" }>,
  { privateTargets, signal }: { privateTargets: readonly string[]; signal?: AbortSignal },
): Promise<readonly RecordingAsk[]> {
  const answer = await http
    .request({
      url: ask.url,
      method: "GET",
      headers: { accept: "application/json", ...ask.credentials },
      body: null,
      timeoutMs: recordingLimits.lookupMsMax,
      responseBytesMax: recordingLimits.lookupBytesMax,
      privateTargets,
      ...(signal && { signal }),
    })
    .catch((error: unknown) => {
      if (!(error instanceof HttpFailure)) throw error;
      throw new NotFetched("recording_unavailable", `The provider's API did not answer (${error.failure})`, {
        cause: error,
      });
    });
  if (answer.status !== 200 || answer.isTruncated) {
    const isFinal = answer.status === 404 || answer.status === 410;
    throw new NotFetched("recording_unavailable", `The provider's API answered ${answer.status}`, { isFinal });
  }
  const ways = ask.read(jsonIn(answer.body)).filter((way) => way.kind !== "lookup");
  if (ways.length === 0) throw new NotFetched("recording_unavailable", "The provider's API names no recording yet", {});
  return ways;
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
}
