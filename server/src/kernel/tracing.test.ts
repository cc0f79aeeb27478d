import { afterEach, beforeEach, expect, test } from "vitest";

import { createFakeClock } from "../../test/harness/clock.ts";
import { type Receiver, startReceiver } from "../../test/harness/receiver.ts";
import { spansIn } from "../../test/harness/spans.ts";
import { systemClock } from "./clock.ts";
import { limits } from "./limits.ts";
import { openTracing, type TracingOptions } from "./tracing.ts";

let collector: Receiver;
beforeEach(async () => {
  collector = await startReceiver();
});
afterEach(() => collector.close());

const traceOf = "019a0000-0000-7000-8000-0123456789ab";
const about = (name: string) => ({ name, traceOf, attributes: {} });

function open(changes: Partial<TracingOptions> = {}) {
  const complaints: object[] = [];
  const tracing = openTracing({
    endpoint: collector.url.replace(/\/$/, ""),
    headers: null,
    service: { name: "aftercall", version: "1.2.3", instance: "here" },
    proxy: null,
    clock: systemClock,
    log: { warn: (line: object) => void complaints.push(line) },
    ...changes,
  });
  return { tracing, complaints };
}

test("spans inside of spans are children, side by side and across awaiting; the trace has the id it was given", async () => {
  const { tracing } = open();
  await tracing.span(about("call"), () =>
    Promise.all(
      ["one", "other"].map((name) =>
        tracing.span(about(name), async () => {
          await Promise.resolve();
          await tracing.span(about(`${name}'s`), async () => {});
        }),
      ),
    ),
  );
  await tracing.close();
  const spans = spansIn(await collector.waitFor(1));
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceOf.replaceAll("-", "")]));
  const parentOf = Object.fromEntries(spans.map(({ name, parent }) => [name, parent]));
  expect(parentOf).toEqual({ call: null, one: "call", other: "call", "one's": "one", "other's": "other" });
  expect(collector.received.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /v1/traces"]);
});

test("what fails is told by its kind, and never by its words", async () => {
  const { tracing } = open();
  const failing = tracing.span(about("call"), async () => {
    throw Object.assign(new Error("Dana said her card is 4111"), { reason: "engine_timeout" });
  });
  await expect(failing).rejects.toThrow("Dana");
  await tracing.close();
  expect(spansIn(collector.received)).toMatchObject([
    { isFailed: true, attributes: { "error.type": "engine_timeout" } },
  ]);
  expect(collector.received.map(({ body }) => body.toString()).join("")).not.toMatch(/Dana|4111/);
});

test("the collector is told who sends, with the headers that the operator set", async () => {
  const { tracing } = open({ headers: "Authorization=Basic cGs6c2s=,x-team=calls%20and%20more" });
  await tracing.span({ name: "call", attributes: { number: 1.5, list: ["a"], nothing: null } }, async () => {});
  await tracing.close();
  await collector.waitFor(1);
  expect(collector.received[0]?.headers).toMatchObject({
    authorization: "Basic cGs6c2s=",
    "x-team": "calls and more",
    "content-type": "application/json",
  });
  expect(spansIn(collector.received)).toMatchObject([
    {
      resource: { "service.name": "aftercall", "service.version": "1.2.3", "service.instance.id": "here" },
      attributes: { number: 1.5, list: ["a"] },
    },
  ]);
});

test("a collector that hangs costs nobody anything: what is too much is lost, and the end waits for a moment only", async () => {
  collector.answer("hang");
  const clock = createFakeClock();
  const { tracing } = open({ clock });
  await Promise.all(
    Array.from({ length: 3 * limits.traceQueueMax }, () => tracing.span(about("call"), async () => {})),
  );
  const closing = tracing.close();
  await clock.advance(limits.traceFlushMs);
  await closing;
  await collector.waitFor(1);
  expect(spansIn(collector.received).length).toBeLessThanOrEqual(limits.traceQueueMax + 512);
});

test("a collector that refuses is complained about once a minute, without what was sent", async () => {
  collector.answer({ status: 401, body: "Who are you?" });
  const { tracing, complaints } = open();
  for (let batch = 0; batch < 3; batch++) {
    // oxlint-disable-next-line no-await-in-loop -- One batch after the other.
    await Promise.all(Array.from({ length: 600 }, () => tracing.span(about("call"), async () => {})));
    // oxlint-disable-next-line no-await-in-loop -- The same.
    await collector.waitFor(batch + 1);
  }
  await tracing.close();
  expect(complaints).toMatchObject([{ spans: 512 }]);
});

test("traces go through the operator's proxy, but for targets that need none", async () => {
  const proxy = { url: collector.url, noProxy: ["collector.internal"] };
  const { tracing } = open({ endpoint: "http://collector.example.com/otel", proxy });
  await tracing.span(about("call"), async () => {});
  await tracing.close();
  const direct = await startReceiver();
  const { tracing: beside } = open({ endpoint: direct.url.replace(/\/$/, ""), proxy });
  await beside.span(about("call"), async () => {});
  await beside.close();
  await Promise.all([collector.waitFor(1), direct.waitFor(1)]);
  await direct.close();
  expect(collector.received.map(({ path }) => path)).toEqual(["http://collector.example.com/otel/v1/traces"]);
  expect(direct.received.map(({ path }) => path)).toEqual(["/v1/traces"]);
});
