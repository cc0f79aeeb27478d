import { expect, test } from "vitest";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { systemClock } from "../kernel/clock.ts";
import { silentLog } from "../kernel/log.ts";
import type { ChangeItem } from "./change-item.ts";
import { createFeed } from "./feed.ts";
import { liveLimits } from "./limits.ts";
import { insertChanges } from "./store.ts";

const { db } = await testDatabase();

async function scene(emit: (items: readonly ChangeItem[]) => Promise<void> = async () => {}) {
  const tenantId = await makeTenant(db);
  const emitted: ChangeItem[] = [];
  const audience = new Set<string>();
  const feed = createFeed({
    db,
    clock: systemClock,
    log: silentLog(),
    tenants: () => [...audience],
    onReset: () => {},
    onPlace: () => {},
    async emit(items) {
      await emit(items);
      emitted.push(...items);
    },
  });
  const turn = { role: "agent" as const, text: "hello", start_ms: null, is_final: true };
  const row = { tenant_id: tenantId, kind: "transcription" as const, call_id: tenantId, campaign_id: null };
  const rows = (count: number) =>
    Array.from({ length: count }, () => ({ ...row, payload: { at: 1, turn, aliases: [] } }));
  const write = (count: number) => db.inTransaction([tenantId], (tx) => insertChanges(tx, rows(count)));
  return { feed, emitted, write, listen: () => feed.atRest(() => audience.add(tenantId)) };
}

test("everybody who asks is let in, also in the very moment in which the last one was", async () => {
  const { feed } = await scene();
  let count = 0;
  const again = (): Promise<void> | void => {
    if (++count < 200) return feed.atRest(() => {}).then(again);
  };
  await feed.atRest(() => {}).then(again);
  expect(count).toBe(200);
  await feed.stop();
});

test("more than a page is handed out whole and in order before anybody else is let in", async () => {
  const { feed, emitted, write, listen } = await scene();
  await listen();
  const count = liveLimits.pageRowsMax * 2 + 7;
  await write(count);
  await feed.atRest(() => {});
  expect(emitted).toHaveLength(count);
  const numbers = emitted.map(({ seq }) => seq);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  await feed.stop();
});

test("what could not be handed out is handed out again, and what was is not", async () => {
  let failures = 1;
  const { feed, emitted, write, listen } = await scene(async (items) => {
    // The second page fails once.
    if (items.length < liveLimits.pageRowsMax && failures-- > 0) throw new Error("cannot be prepared");
  });
  await listen();
  await write(liveLimits.pageRowsMax + 5);
  await expect(feed.atRest(() => {})).rejects.toMatchObject({ status: 503 });
  await feed.atRest(() => {});
  expect(emitted).toHaveLength(liveLimits.pageRowsMax + 5);
  expect(new Set(emitted.map(({ seq }) => seq)).size).toBe(emitted.length);
  await feed.stop();
});
