import type { z } from "zod";

import { HttpFailure } from "#/kernel/net/failure.ts";
import type { GuardedHttp, HttpRequest } from "#/kernel/net/http.ts";

import { Retry } from "../failure.ts";
import { failureOfHttp, failureOfStatus } from "../http-failure.ts";
import type { SpeechEngine } from "./engine.ts";

type Asked = Pick<HttpRequest, "method" | "headers" | "body" | "timeoutMs" | "signal">;

/**
 * One request to a speech engine, and its answer in the form that is expected. An answer of another form is tried again: it is
 * what a proxy, a server that is starting, or a connection that broke off gives.
 * @throws Retry, GiveUp
 */
export async function request<Answer>(
  { http, engine }: { readonly http: GuardedHttp; readonly engine: SpeechEngine },
  path: string,
  asked: Asked,
  form: z.ZodType<Answer>,
): Promise<Answer> {
  const answer = await http
    .request({
      ...asked,
      url: `${engine.baseUrl}${path}`,
      responseBytesMax: answerBytesMax,
      privateTargets: engine.privateTargets,
    })
    .catch((error: unknown) => {
      throw error instanceof HttpFailure ? failureOfHttp(error) : error;
    });
  const text = answer.body.toString("utf8");
  if (answer.status < 200 || answer.status >= 300) {
    throw failureOfStatus("The speech engine", answer.status, answer.headers, text);
  }
  const read = answer.isTruncated ? undefined : form.safeParse(parse(text));
  if (read?.success) return read.data;
  throw new Retry(null, "engine_unavailable", {
    detail: answer.isTruncated
      ? "The answer of the speech engine broke off"
      : "The speech engine answered with something that is no transcript",
  });
}

/** Words with times of a call of many hours. */
const answerBytesMax = 40_000_000;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
