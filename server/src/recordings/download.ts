import { AwsV4Signer } from "aws4fetch";

import { BlobRefused, type Spooled } from "#/blobs/spool.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { HttpDownload } from "#/kernel/net/download.ts";
import { HttpFailure } from "#/kernel/net/failure.ts";
import type { FileAsk } from "#/providers/recording.ts";

import type { RecordingDeps } from "./deps.ts";
import { recordingLimits } from "./limits.ts";
import { NotFetched } from "./not-fetched.ts";

export type DownloadOptions = {
  readonly privateTargets: readonly string[];
  readonly signal?: AbortSignal;
};

/**
 * Fetches a recording into a file of our own, whose name nothing from outside has a part in. Redirects are followed three times,
 * each through the guard; credentials go to the host of the first address alone.
 * @throws NotFetched
 */
export async function downloadRecording(
  deps: Pick<RecordingDeps, "http" | "spool" | "clock">,
  ask: FileAsk,
  options: DownloadOptions,
): Promise<Spooled> {
  if (ask.expiresAt !== null && ask.expiresAt <= deps.clock.now()) {
    throw new NotFetched("recording_expired", "The address of the recording has expired", { isFinal: true });
  }
  const { body } = await follow(deps, ask, options);
  try {
    return await deps.spool.write(body, {
      bytesMax: recordingLimits.bytesMax,
      timeMsMax: recordingLimits.downloadMsMax,
      ...(options.signal && { signal: options.signal }),
    });
  } catch (error) {
    throw refusalOf(error);
  } finally {
    body.on("error", () => {}).destroy();
  }
}

async function follow(
  { http, clock }: Pick<RecordingDeps, "http" | "clock">,
  ask: FileAsk,
  { privateTargets, signal }: DownloadOptions,
): Promise<HttpDownload> {
  const first = new URL(ask.url);
  let url = first;
  for (let hop = 0; hop <= recordingLimits.redirectsMax; hop++) {
    // oxlint-disable-next-line no-await-in-loop -- Where a redirect leads is known when it has come.
    const headers = url.origin === first.origin ? await credentialsOf(ask, url, clock.now()) : {};
    // oxlint-disable-next-line no-await-in-loop -- As above.
    const answer = await http
      .download({
        url: url.href,
        headers: { accept: "audio/*, application/octet-stream;q=0.9, */*;q=0.1", ...headers },
        timeoutMs: recordingLimits.downloadMsMax,
        privateTargets,
        ...(signal && { signal }),
      })
      .catch((error: unknown) => {
        throw failureOf(error);
      });
    if (answer.status >= 200 && answer.status < 300 && answer.status !== 204) return answer;
    answer.body.on("error", () => {}).destroy();
    const location = isRedirect(answer.status) ? textOf(answer.headers["location"]) : null;
    const next = location === null ? null : URL.parse(location, url);
    if (next === null) throw refusedStatus(answer, ask, clock.now());
    url = next;
  }
  throw new NotFetched("recording_refused", `More than ${recordingLimits.redirectsMax} redirects`, { isFinal: true });
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

async function credentialsOf(ask: FileAsk, url: URL, nowMs: number): Promise<Readonly<Record<string, string>>> {
  if (!ask.store) return ask.credentials;
  const datetime = new Date(nowMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
  const headers = { "x-amz-content-sha256": emptySha256 };
  const signer = new AwsV4Signer({ method: "GET", url: url.href, headers, ...ask.store, service: "s3", datetime });
  return { ...ask.credentials, ...Object.fromEntries((await signer.sign()).headers) };
}

const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function refusedStatus({ status, headers }: HttpDownload, ask: FileAsk, nowMs: number): NotFetched {
  if (status === 410)
    return new NotFetched("recording_expired", "The provider has removed it (410)", { isFinal: true });
  if ((status === 401 || status === 403) && ask.expiresAt !== null && ask.expiresAt <= nowMs) {
    return new NotFetched("recording_expired", "The address of the recording has expired", { isFinal: true });
  }
  const mayCome = [401, 403, 404, 408, 409, 425, 429].includes(status) || status >= 500;
  const advice = status === 401 || status === 403 ? "; check the credentials of the source" : "";
  const wait = retryAfterIn(textOf(headers["retry-after"]), nowMs);
  const detail = `Its address answered ${status}${advice}`;
  return new NotFetched("recording_unavailable", detail, { isFinal: !mayCome, ...(wait !== null && { waitMs: wait }) });
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfterIn(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), recordingLimits.retryAfterMsMax) : null;
}

/** No address or rule of the network goes into what a tenant reads. */
function failureOf(error: unknown): NotFetched {
  if (!(error instanceof HttpFailure)) throw error;
  if (error.failure === "aborted") return new NotFetched("recording_unavailable", "Stopped by this server", {});
  if (error.failure !== "blocked_target") {
    return new NotFetched("recording_unavailable", `Its address could not be read (${error.failure})`, {
      cause: error,
    });
  }
  const detail = "Its address is not one that this server connects to";
  return new NotFetched("recording_refused", detail, { isFinal: true, cause: error });
}

function refusalOf(error: unknown): unknown {
  if (error instanceof HttpFailure) return failureOf(error);
  if (!(error instanceof BlobRefused)) return error;
  if (error.limit === "too_large") {
    const megabytes = recordingLimits.bytesMax / 1_000_000;
    return new NotFetched("recording_too_large", `It is larger than ${megabytes} MB`, { isFinal: true });
  }
  return new NotFetched("recording_unavailable", messageOf(error), { cause: error });
}

function textOf(header: string | string[] | undefined): string | null {
  return typeof header === "string" ? header : null;
}
