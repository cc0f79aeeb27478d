import type { Expectation } from "./cases.ts";
import type { Answer } from "./send.ts";

/** What is wrong with an answer; nothing when it is as it should be. `secrets` must not be in any. */
export function judge(expected: Expectation, answer: Answer, secrets: readonly string[]): string[] {
  const { status, body, ms, error, answers, closedAt } = answer;
  const wanted = expected.status === undefined ? null : [expected.status].flat();
  const isReset = expected.orReset === true && /ECONNRESET|EPIPE|closed|socket hang up/.test(error ?? "");
  const leak = expected.noLeak ? leakForm.exec(body) : null;
  return [
    ...(error !== undefined && status === undefined && !isReset ? [`no answer: ${error}`] : []),
    ...(wanted && !isReset && status !== undefined && !wanted.includes(status)
      ? [`status ${status}, wanted ${wanted.join(" or ")}`]
      : []),
    ...(expected.no5xx && (status ?? 0) >= 500 && !wanted?.includes(status ?? 0) ? ["5xx"] : []),
    ...(expected.maxMs && ms > expected.maxMs ? [`took ${Math.round(ms)} ms, limit ${expected.maxMs}`] : []),
    ...(leak ? [`leak: ${leak[0].slice(0, 60)}`] : []),
    ...(secrets.some((secret) => body.includes(secret)) ? ["a secret is in the answer"] : []),
    ...members(expected, body),
    ...(expected.notContains && body.includes(expected.notContains) ? [`contains ${expected.notContains}`] : []),
    ...(expected.responses && answers !== undefined && answers !== expected.responses
      ? [`${answers} answers on the socket`]
      : []),
    ...(expected.closesWithinMs && (closedAt === null || (closedAt ?? 0) > expected.closesWithinMs)
      ? ["the socket is left open"]
      : []),
  ];
}

function members({ json = {}, jsonNot = {} }: Expectation, body: string): string[] {
  const read = parsed(body);
  return [
    ...Object.entries(json).flatMap(([name, value]) =>
      read[name] === value ? [] : [`${name} is ${JSON.stringify(read[name])}, wanted ${JSON.stringify(value)}`],
    ),
    ...Object.entries(jsonNot).flatMap(([name, value]) =>
      read[name] === value ? [`${name} is ${JSON.stringify(value)}`] : [],
    ),
  ];
}

export function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Stack traces, SQL, paths of files, the database's own words. */
const leakForm =
  /at .*\((?:\/|file:|node:)|node_modules|SELECT .* FROM|INSERT INTO|syntax error at or near|ECONNREFUSED|stack"\s*:|pg_|\/(?:home|srv|app|opt|var|root|usr|tmp)\/[a-z]/i;
