import { request } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startTestApp, type TestApp } from "../harness/app.ts";
import { makeCustomer, newUuid } from "../harness/customer.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ AFTERCALL_ANALYSIS: "off" });
});
afterAll(() => app.stop());

const lineBytes = 100_000;
const lineCount = 600;

test("a file is taken in without being held: of 60 megabytes at most some lines are in memory", async () => {
  const customer = await makeCustomer(app);
  const { source } = await customer.connect("vapi");
  let before = 0;
  let most = 0;
  /** Of an export: what calls are made of, and here and there a call, which is made of that. */
  async function* lines() {
    for (let number = 0; number < lineCount; number++) {
      if (number === 100) before = held();
      if (number > 100 && number % 50 === 0) most = Math.max(most, held() - before);
      const data = { said: "a".repeat(lineBytes) };
      yield `${JSON.stringify(number % 50 === 0 ? reportOf(newUuid()) : { kind: "call", cursor: "c", data })}\n`;
    }
  }
  // Not by `fetch`, which keeps what it sends.
  const headers = { authorization: `Bearer ${customer.key}`, "content-type": "application/x-ndjson" };
  const sending = request(`${app.url}/v1/imports?source=${source.slug}`, { method: "POST", headers });
  const answered = new Promise<string>((resolve) => sending.once("response", (answer) => resolve(text(answer))));
  await pipeline(Readable.from(lines()), sending);

  expect(JSON.parse(await answered)).toMatchObject({ state: "done", line_count: lineCount, failed_count: 0 });
  expect(most).toBeLessThan((lineCount * lineBytes) / 2);
});

function reportOf(id: string) {
  const message = { type: "end-of-call-report", timestamp: Date.now(), endedReason: "customer-ended-call" };
  return { message: { ...message, call: { id, type: "inboundPhoneCall" } } };
}

/** Bytes that are held once everything that can go has gone. */
function held(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
