import { expect, test } from "vitest";

import { createFakeClock } from "../../test/harness/clock.ts";
import type { Arrival } from "./arrival.ts";
import { createBatcher } from "./batch.ts";
import type { Settled } from "./commit.ts";

const limits = {
  lanes: 2,
  eventsMax: 100,
  bytesMax: 1_000,
  waitMs: 10,
  waitingRequestsMax: 5,
  waitingBytesMax: 10_000,
  answerDeadlineMs: 1_000,
};

/** A batcher whose commits end when the test says so. */
function setUp() {
  const clock = createFakeClock();
  const commits: { size: number; end: () => void; fail: (error: Error) => void }[] = [];
  const batcher = createBatcher(
    (batch) =>
      new Promise<Settled[]>((resolve, reject) => {
        const settled = batch.map(() => ({ ok: true as const, outcome: [] }));
        commits.push({ size: batch.length, end: () => resolve(settled), fail: reject });
      }),
    { limits, clock },
  );
  const add = (count: number, bytes = 1) => Array.from({ length: count }, () => batcher.add(arrivalOf(bytes)));
  return { clock, batcher, add, commits, sizes: () => commits.map(({ size }) => size) };
}

/** What the batcher looks at: the number of events and of bytes. */
function arrivalOf(bytes: number): Arrival {
  return { events: [{}], request: { body: Buffer.alloc(bytes) } } as unknown as Arrival;
}

const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

test("a request that comes alone is stored at once, and those of the same moment together", async () => {
  const { add, sizes } = setUp();
  void add(3);
  await turn();
  expect(sizes()).toEqual([3]);
});

test("a second transaction starts when as many wait as are under way", async () => {
  const { add, sizes } = setUp();
  void add(3);
  await turn();
  void add(2);
  await turn();
  expect(sizes()).toEqual([3]);
  void add(1);
  await turn();
  expect(sizes()).toEqual([3, 3]);
});

test("a second transaction starts when the first one takes long", async () => {
  const { clock, add, sizes } = setUp();
  void add(3);
  await turn();
  void add(1);
  await turn();
  await clock.advance(limits.waitMs);
  await turn();
  expect(sizes()).toEqual([3, 1]);
});

test("what waits goes on as soon as the first transaction has ended", async () => {
  const { add, commits, sizes } = setUp();
  void add(3);
  await turn();
  void add(1);
  await turn();
  commits[0]?.end();
  await turn();
  expect(sizes()).toEqual([3, 1]);
});

test("what waits while all lanes are busy is stored together", async () => {
  const { add, commits, sizes } = setUp();
  void add(1);
  await turn();
  void add(1);
  await turn();
  void add(4);
  await turn();
  expect(sizes()).toEqual([1, 1]);
  commits[1]?.end();
  await turn();
  expect(sizes()).toEqual([1, 1, 4]);
});

test("a transaction takes no more bytes than its limit, and a larger request goes alone", async () => {
  const { add, sizes } = setUp();
  void add(2, 600);
  await turn();
  expect(sizes()).toEqual([1, 1]);
});

test("a request beyond the waiting room is refused at once", async () => {
  const { add } = setUp();
  const [, , , , , sixth] = add(6);
  await expect(sixth).rejects.toThrow("Too many requests");
});

test("a request that is not stored in time is answered as our own failure", async () => {
  const { clock, add } = setUp();
  const [request] = add(1);
  await turn();
  const [answer] = await Promise.all([
    request?.catch((error: Error) => error.message),
    clock.advance(limits.answerDeadlineMs),
  ]);
  expect(answer).toContain("took too long");
});

test("a commit that fails says so to each of its requests", async () => {
  const { add, commits } = setUp();
  const answers = add(2).map((request) => request.catch((error: Error) => error.message));
  await turn();
  commits[0]?.fail(new Error("gone"));
  expect(await Promise.all(answers)).toEqual(["Storing failed", "Storing failed"]);
});
