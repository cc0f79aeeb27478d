import type { HttpAnswer, GuardedHttp } from "#/kernel/net/http.ts";

import type { LanguageEngine } from "./engine.ts";

/**
 * The guarded client in the form that the SDK takes. Requests go to the host of the engine's base URL and nowhere else, whatever
 * a model answers; the key is in a header that nothing logs.
 */
export function fetchThrough(http: GuardedHttp, engine: LanguageEngine): typeof fetch {
  const { host } = new URL(engine.baseUrl);
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (new URL(url).host !== host) throw new TypeError("A model is reached at its own host only");
    const answer = await http.request({
      url,
      method: "POST",
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: Buffer.from(typeof init?.body === "string" ? init.body : ""),
      timeoutMs: engine.settings.timeoutMs,
      responseBytesMax: answerBytesMax,
      privateTargets: engine.privateTargets,
      ...(init?.signal && { signal: init.signal }),
    });
    return responseOf(answer);
  };
}

/** A model's answer is text of some thousand words. */
const answerBytesMax = 4_000_000;

function responseOf(answer: HttpAnswer): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? ""]) headers.append(name, one);
  }
  const hasBody = answer.status !== 204 && answer.status !== 205 && answer.status !== 304;
  return new Response(hasBody ? new Uint8Array(answer.body) : null, { status: answer.status, headers });
}
