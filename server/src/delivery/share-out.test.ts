import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { ReadyLane } from "./queue/lane-store.ts";
import { type Room, shareOut } from "./share-out.ts";

const lane = (tenantId: string, endpointId: string, isRetry = false): ReadyLane => ({
  tenantId,
  endpointId,
  isRetry,
  isClosed: false,
  isGated: false,
  inFlightMax: 10,
  first: { dueAt: "2026-11-21 10:00:00+00", id: "01a20063-969c-7000-b7ed-e6c9aeb7a3ce" },
  mark: null,
});
const plenty: Room = { total: 10_000, fresh: 10_000, retry: 10_000 };
const share = (lanes: readonly ReadyLane[], room: Partial<Room>, free = 1_000, roomOf = plenty) =>
  Object.fromEntries(
    shareOut(lanes, { room: { ...plenty, ...room }, roomOf: () => roomOf, freeOf: () => free }).map((quota) => [
      `${quota.endpointId}${quota.isRetry ? " retry" : ""}`,
      quota.rows,
    ]),
  );

test("tenants get the same, however many endpoints they have", () => {
  const crowd = Array.from({ length: 9 }, (_, i) => lane("crowd", `c${i}`));
  expect(share([...crowd, lane("small", "s")], { total: 18 })).toMatchObject({ s: 9, c0: 1, c8: 1 });
});

test("first attempts and retries of an endpoint share what it may take, in turn", () => {
  expect(share([lane("t", "a"), lane("t", "a", true)], {}, 7)).toEqual({ a: 4, "a retry": 3 });
});

test("what is kept for first attempts is not given to retries", () => {
  const lanes = [lane("t", "a", true), lane("t", "b", true), lane("t", "c")];
  expect(share(lanes, { total: 10, retry: 4 })).toEqual({ "a retry": 2, "b retry": 2, c: 6 });
});

test("a tenant takes no more than its own room", () => {
  const room = { total: 3, fresh: 3, retry: 3 };
  expect(share([lane("t", "a"), lane("t", "b")], {}, 1_000, room)).toEqual({ a: 2, b: 1 });
});

test("whatever is asked for: no limit is passed, and nothing is left while somebody could use it", () => {
  const anyLane = fc.record({
    tenant: fc.constantFrom("t", "u", "v"),
    endpoint: fc.integer({ min: 0, max: 3 }),
    isRetry: fc.boolean(),
  });
  const room = fc.record({ total: fc.nat(30), fresh: fc.nat(30), retry: fc.nat(30) });
  fc.assert(
    fc.property(
      fc.uniqueArray(anyLane, { selector: (one) => JSON.stringify(one), maxLength: 20 }),
      room,
      room,
      fc.nat(6),
      (wanted, all, own, free) => {
        const lanes = wanted.map((one) => lane(one.tenant, `${one.tenant}${one.endpoint}`, one.isRetry));
        const quotas = shareOut(lanes, { room: all, roomOf: () => own, freeOf: () => free });
        const sum = (of: typeof quotas) => of.reduce((total, { rows }) => total + rows, 0);
        const sorts = [false, true] as const;
        const left = (of: typeof quotas, from: Room, isRetry: boolean) =>
          Math.min(
            from.total - sum(of),
            from[isRetry ? "retry" : "fresh"] - sum(of.filter((quota) => quota.isRetry === isRetry)),
          );
        for (const isRetry of sorts) expect(left(quotas, all, isRetry)).toBeGreaterThanOrEqual(0);
        for (const one of lanes) {
          const ofTenant = quotas.filter(({ tenantId }) => tenantId === one.tenantId);
          const ofEndpoint = quotas.filter(({ endpointId }) => endpointId === one.endpointId);
          expect(sum(ofEndpoint)).toBeLessThanOrEqual(free);
          for (const isRetry of sorts) expect(left(ofTenant, own, isRetry)).toBeGreaterThanOrEqual(0);
          const could = Math.min(
            left(quotas, all, one.isRetry),
            left(ofTenant, own, one.isRetry),
            free - sum(ofEndpoint),
          );
          expect(could).toBe(0);
        }
      },
    ),
  );
});
