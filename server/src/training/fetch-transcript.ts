import { limits } from "#/kernel/limits.ts";
import { HttpFailure } from "#/kernel/net/failure.ts";
import type { GuardedHttp, HttpAnswer } from "#/kernel/net/http.ts";
import type { Secret } from "#/providers/provider.ts";
import type { WonderfulSetup } from "#/providers/wonderful/setup.ts";
import type { Conversation } from "#/providers/wonderful/transcript.ts";
import { readTranscript, transcriptRequest } from "#/providers/wonderful/transcript.ts";

/** What asking for a transcript came to. `not_ready` is no failure: it is written some time after the call. */
export type TranscriptAnswer =
  | { readonly kind: "ready"; readonly conversation: Conversation }
  | { readonly kind: "not_ready"; readonly detail: string }
  | {
      readonly kind: "retry";
      readonly reason: TranscriptFailure;
      readonly detail: string;
      readonly afterMs: number | null;
    }
  | { readonly kind: "give_up"; readonly reason: TranscriptFailure; readonly detail: string };

export type TranscriptFailure =
  | "api_not_configured"
  | "transcript_refused"
  | "transcript_unavailable"
  | "transcript_unreadable";

export type TranscriptQuestion = {
  readonly communicationId: string;
  readonly api: WonderfulSetup["api"];
  readonly secrets: readonly Secret[];
  /** Networks that are not public and that the tenant may reach. */
  readonly privateTargets: readonly string[];
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
};

/** Asks the Communication API once for what was said in a call. Every answer but a transcript says what somebody can do. */
export async function fetchTranscript(http: GuardedHttp, asked: TranscriptQuestion): Promise<TranscriptAnswer> {
  const { api, signal, privateTargets, timeoutMs } = asked;
  const request = transcriptRequest(asked.communicationId, api, asked.secrets);
  if (!request)
    return giveUp("api_not_configured", "Set api.base_url of the source: nothing says where to fetch from.");
  try {
    const answer = await http.request({
      ...request,
      method: "GET",
      body: null,
      timeoutMs,
      responseBytesMax: limits.transcriptBytesMax,
      signal,
      privateTargets,
    });
    return judge(answer, api);
  } catch (error) {
    if (!(error instanceof HttpFailure) || error.failure === "aborted") throw error;
    if (error.failure === "blocked_target") {
      return giveUp("transcript_refused", `This server may not reach api.base_url: ${error.message}`);
    }
    return retry("transcript_unavailable", `The Communication API gave no answer: ${told[error.failure]}.`);
  }
}

/** The kind of failure, and never the address that was dialled. */
const told = {
  dns: "its host name is unknown",
  connect: "no connection",
  tls: "its certificate is not valid",
  timeout: "nothing complete came in time",
  reset: "the connection broke",
  invalid_response: "what came is no HTTP",
} as const;

function judge(answer: HttpAnswer, api: WonderfulSetup["api"]): TranscriptAnswer {
  const { status } = answer;
  if (status === 404) return { kind: "not_ready", detail: "The Communication API has no transcript of it yet (404)." };
  if (status === 401 || status === 403) {
    return giveUp(
      "transcript_refused",
      `The Communication API refused the key (${status}): set the secret api_key of the source, or api.auth_header and api.auth_prefix.`,
    );
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return retry("transcript_unavailable", `The Communication API answered ${status}.`, afterMsOf(answer));
  }
  if (status >= 300) {
    const where = status < 400 ? "sends elsewhere" : "does not accept the request";
    return giveUp(
      "transcript_refused",
      `The Communication API ${where} (${status}): check api.base_url and api.transcript_path.`,
    );
  }
  if (answer.isTruncated) {
    return answer.body.length >= limits.transcriptBytesMax
      ? giveUp("transcript_unreadable", `The transcript is larger than ${limits.transcriptBytesMax / 1_000_000} MB.`)
      : retry("transcript_unavailable", "The answer of the Communication API broke off.");
  }
  return read(answer.body.toString("utf8"), api);
}

function read(text: string, api: WonderfulSetup["api"]): TranscriptAnswer {
  if (text.trim() === "") return notWritten;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return retry("transcript_unreadable", "The Communication API answered with something that is no JSON.");
  }
  const conversation = readTranscript(value, api);
  if (conversation) return { kind: "ready", conversation };
  return shapeProblem(value, api) ?? notWritten;
}

const notWritten: TranscriptAnswer = { kind: "not_ready", detail: "The transcript is empty so far." };

/** Why an answer without words is not just one that comes too early. */
function shapeProblem(value: unknown, api: WonderfulSetup["api"]): TranscriptAnswer | null {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const list = api.records === "" ? value : isObject ? (value as Record<string, unknown>)[api.records] : value;
  if (list === null || list === undefined || list === "") return null;
  if (!Array.isArray(list)) {
    if (isObject && Object.keys(value).length === 0) return null;
    const fields = isObject ? ` It has the fields ${named(Object.keys(value))}.` : "";
    return giveUp("transcript_unreadable", `The answer holds no list of records: set api.records.${fields}`);
  }
  const records: unknown[] = list;
  const fields = new Set(records.flatMap((one) => (typeof one === "object" && one !== null ? Object.keys(one) : [])));
  if (records.length === 0 || fields.has(api.text)) return null;
  return giveUp(
    "transcript_unreadable",
    `None of the ${records.length} records has the field ${api.text}: set api.text. They have ${named([...fields])}.`,
  );
}

/** Names of fields, cut so that no content can pass for one. */
function named(fields: readonly string[]): string {
  return fields
    .slice(0, 8)
    .map((field) => field.slice(0, 40))
    .join(", ");
}

/** `Retry-After` in seconds; its form with a date is left to our own schedule. */
function afterMsOf({ headers }: HttpAnswer): number | null {
  const given = headers["retry-after"];
  const seconds = typeof given === "string" && /^\d{1,6}$/.test(given) ? Number(given) : null;
  return seconds === null ? null : seconds * 1000;
}

function retry(reason: TranscriptFailure, detail: string, afterMs: number | null = null): TranscriptAnswer {
  return { kind: "retry", reason, detail, afterMs };
}

function giveUp(reason: TranscriptFailure, detail: string): TranscriptAnswer {
  return { kind: "give_up", reason, detail };
}
