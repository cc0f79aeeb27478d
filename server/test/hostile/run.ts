import { readFileSync } from "node:fs";

import type { HttpCase, Probe, RawCase, Request, Variables } from "./cases.ts";
import { judge } from "./judge.ts";
import { createFiller } from "./request.ts";
import { send, sendRaw, type Answer } from "./send.ts";
import { sign, userToken } from "./sign.ts";

export type Target = {
  readonly base: URL;
  readonly variables: Variables;
  /** Process of the server, for what a case says about memory (Linux). */
  readonly pid: number;
  /** Where a provider's call stands, in the given system's words: `ENDED`. */
  readonly statusOf: (providerCallId: string) => Promise<string | null>;
  /** Everything that was ever stored, as a number. */
  readonly countEvents: () => Promise<number>;
};

export type Runner = {
  /** Runs a case and gives what was wrong. */
  run(one: HttpCase | RawCase): Promise<string[]>;
};

const secretNames = ["LIVEKIT_SECRET", "VAPI_SECRET", "ELEVEN_SECRET", "TWILIO_TOKEN", "JWT_SECRET"];

/** Sends hostile input to a running server from outside and judges what comes back. */
export function createRunner(target: Target): Runner {
  const { base, variables } = target;
  const filler = createFiller(variables);
  const secrets = secretNames.flatMap((name) => variables[name] ?? []);
  return { run };

  async function run(one: HttpCase | RawCase): Promise<string[]> {
    const { expect } = one;
    const memory = memoryMb(target.pid);
    const status = expect.unchanged ? await target.statusOf(filler.fill(expect.unchanged, "")) : null;
    const stored = expect.notStored ? await target.countEvents() : 0;
    const wrong = one.kind === "raw" ? await runRaw(one) : await runHttp(one);
    if (expect.unchanged && (await target.statusOf(filler.fill(expect.unchanged, ""))) !== status)
      wrong.push("the call's status has changed");
    if (expect.notStored && (await target.countEvents()) !== stored) wrong.push("an event was stored");
    const grown = memoryMb(target.pid) - memory;
    if (expect.maxRssMb && grown > expect.maxRssMb)
      wrong.push(`memory grew by ${Math.round(grown)} MB, limit ${expect.maxRssMb}`);
    if (expect.alive && !(await isAlive())) wrong.push("the server is not healthy afterwards");
    return wrong;
  }

  async function runRaw({ raw, slow = false, expect }: RawCase): Promise<string[]> {
    const waitMs = (expect.maxMs ?? 3_000) + 500;
    return judge(expect, await sendRaw(base, filler.fill(raw, filler.next()), { waitMs, isSlow: slow }), secrets);
  }

  async function runHttp(one: HttpCase): Promise<string[]> {
    const { expect, concurrency = 1 } = one;
    const sent = await Promise.all(Array.from({ length: concurrency }, () => sendCase(one)));
    const wrong = [...new Set(sent.flatMap(({ answer }) => judge(expect, answer, secrets)))];
    const { exactlyOne } = expect;
    const firsts = sent.filter(({ answer }) => exactlyOne && !answer.body.includes(exactlyOne.not));
    if (exactlyOne && firsts.length !== 1) wrong.push(`${firsts.length} answers count as the first`);
    for (const next of one.then ?? []) {
      const { answer, name } = await sendCase(next);
      wrong.push(...judge({ no5xx: true, ...next.expect }, answer, secrets), ...(await probe(next.probe, name)));
    }
    return [...wrong, ...(await probe(one.probe, sent[0]?.name ?? ""))];
  }

  async function sendCase(request: Request): Promise<{ answer: Answer; name: string }> {
    const name = filler.next();
    const path = filler.fill(request.path, name);
    const own = Object.entries(request.headers ?? {}).map(([key, value]) => [key, filler.text(value, name)]);
    const { jwt } = request;
    const token = jwt && userToken(jwt, filler.fill(jwt.sub, name), variables["JWT_SECRET"] ?? "");
    const signed = sign(request.sign, { body: filler.body(request.body, name), path, name }, { variables, filler });
    const headers: Record<string, string> = {
      ...Object.fromEntries(own),
      ...(token && { authorization: `Bearer ${token}` }),
      ...signed.headers,
    };
    return { answer: await send(base, { method: request.method, path, headers, body: signed.body }), name };
  }

  async function probe(wanted: Probe | undefined, name: string): Promise<string[]> {
    if (!wanted) return [];
    const status = await target.statusOf(filler.fill(wanted.call, name));
    return status === wanted.status ? [] : [`the call is ${status}, wanted ${wanted.status}`];
  }

  async function isAlive(): Promise<boolean> {
    const { status, ms } = await send(base, {
      method: "GET",
      path: variables["HEALTH"] ?? "/healthz",
      headers: {},
      body: undefined,
    });
    return status === 200 && ms < 1_000;
  }
}

/** Resident memory of a process; 0 where the system does not say. */
function memoryMb(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
