import { randomUUID } from "node:crypto";

import type { Route } from "@aftercall/contract/api.ts";

import { checkAnswer } from "../harness/contract-check.ts";
import { key, type Request } from "./requests.ts";

export type Sending = {
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly file?: string;
  readonly key?: string | null;
};

/** Sends bytes as they are to the server at `url`; the answer is held against its schema. */
export async function send(
  url: string,
  route: Route,
  path: string,
  { headers = {}, key: used = key, ...sent }: Sending = {},
) {
  const { body = sent.file } = sent;
  const type = sent.file === undefined ? "application/json" : "application/x-ndjson";
  const answer = await fetch(url + path, {
    method: route.method,
    headers: {
      ...(used !== null && { authorization: `Bearer ${used}` }),
      ...(body !== undefined && { "content-type": type }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
  const text = await answer.text();
  const media = answer.headers.get("content-type") ?? "";
  checkAnswer(route.method, path, { status: answer.status, type: media, text });
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    code: /\+json/.test(media) ? JSON.parse(text).code : null,
  };
}

/** The path with ids of nothing. */
export function strange(route: Route): string {
  return route.path.replaceAll(/:\w+/g, () => "not.an-id");
}

/** The path with ids that have the form of one. */
export function random(route: Route): string {
  return route.path.replaceAll(/:\w+/g, (name) => (name === ":step" ? "score" : randomUUID()));
}

/** The least that a route takes for a body. */
export function bodyFor(route: Route): Sending {
  if (route.body) return { body: "{}" };
  return route.bodyLines ? { file: "{}\n" } : {};
}

export function bodyOf({ body, file }: Request): Sending {
  if (file !== undefined) return { file };
  return body === undefined ? {} : { body: JSON.stringify(body) };
}
