import { afterAll, beforeAll, expect, test } from "vitest";

import { silentLog } from "#/kernel/log.ts";
import { createMetrics } from "#/kernel/metrics.ts";

import { createFakeClock } from "../../test/harness/clock.ts";
import { startHttp, type TestHttp } from "../../test/harness/http.ts";
import { type Check, registerHealth } from "./health.ts";

const clock = createFakeClock();
const metrics = createMetrics();
const ok: Check = async () => ({ status: "ok", reason: null });
let checks: Record<string, Check> = {};
let accepting = true;
let http: TestHttp;
beforeAll(async () => {
  http = await startHttp(
    (app) =>
      registerHealth(app, {
        version: "1.2.3",
        clock,
        log: silentLog(),
        metrics,
        get checks() {
          return checks;
        },
        isAccepting: () => accepting,
      }),
    { metrics },
  );
});
afterAll(() => http.close());

async function ask(path: string) {
  const answer = await fetch(http.url + path);
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

test("200: the process lives, whatever the database does", async () => {
  checks = { database: async () => ({ status: "failed", reason: "gone" }) };
  const { status, text } = await ask("/healthz");
  expect([status, JSON.parse(text)]).toEqual([200, { status: "ok", version: "1.2.3" }]);
});

test("200: degraded durability is shown and does not stop traffic", async () => {
  checks = { database: ok, durability: async () => ({ status: "degraded", reason: "fsync is off" }) };
  const { status, text } = await ask("/readyz");
  expect([status, JSON.parse(text)]).toEqual([
    200,
    {
      status: "ready",
      version: "1.2.3",
      checks: { database: { status: "ok", reason: null }, durability: { status: "degraded", reason: "fsync is off" } },
    },
  ]);
});

test("503: one failed check, with its reason", async () => {
  checks = { database: ok, workers: async () => ({ status: "failed", reason: "no worker is running" }) };
  const { status, text, headers } = await ask("/readyz");
  expect([status, JSON.parse(text).checks.workers.reason, headers.get("retry-after")]).toEqual([
    503,
    "no worker is running",
    "5",
  ]);
});

test("503: a check that throws tells the log, not the world", async () => {
  checks = { database: async () => Promise.reject(new Error("connect ECONNREFUSED 10.1.2.3:5432")) };
  const { status, text } = await ask("/readyz");
  expect(status).toBe(503);
  expect(text).not.toContain("10.1.2.3");
});

test("503: a check that hangs has failed after 2 s", async () => {
  checks = { database: () => new Promise(() => {}) };
  const answer = ask("/readyz");
  while (clock.sleepers === 0) await new Promise(setImmediate);
  await clock.advance(2_000);
  expect(JSON.parse((await answer).text).checks.database).toEqual({
    status: "failed",
    reason: "No answer within 2000 ms",
  });
});

test("503: a server that is stopping asks for no more traffic", async () => {
  checks = { database: ok };
  accepting = false;
  expect((await ask("/readyz")).status).toBe(503);
  accepting = true;
});

test("200: metrics are Prometheus text under our names", async () => {
  metrics.inboundTotal.inc({ provider: "vapi", result: "stored" });
  await ask("/healthz");
  const { text, headers } = await ask("/metrics");
  expect(headers.get("content-type")).toMatch(/^text\/plain/);
  expect(text).toContain('aftercall_inbound_total{provider="vapi",result="stored"} 1');
  expect(text).toMatch(/aftercall_http_request_seconds_count\{method="GET",route="\/healthz",status="200"\}/);
});
