import fc from "fast-check";
import { expect, test } from "vitest";

import { type ChangeItem, itemOf } from "./change-item.ts";
import { isVisible, type Place, readSnapshot } from "./cursor.ts";
import { liveLimits } from "./limits.ts";
import { createRecent } from "./recent.ts";

const place = (seen: string, ahead: Place["ahead"] = null): Place => ({ cluster: "1", at: 1, seen, ahead });

function change(xid: number, seq: number, from: string, upTo: string, tenantId = "t"): ChangeItem {
  const row = {
    tenant_id: tenantId,
    xid: String(xid),
    seq,
    kind: "campaign" as const,
    call_id: null,
    campaign_id: null,
  };
  return itemOf({ ...row, payload: '{"at":1,"campaign":{}}' }, place(from), upTo);
}

/** A history: transactions that begin and end in any order, and snapshots taken between. */
const histories = fc.array(fc.oneof(fc.constant("begin"), fc.constant("snapshot"), fc.nat(5)), { maxLength: 60 });

test("from any snapshot of a history, memory gives exactly what it does not show, in the order of the steps", () => {
  fc.assert(
    fc.property(histories, (history) => {
      let next = 10;
      const running: number[] = [];
      const written: { xid: number; seq: number }[] = [];
      const shot = () => `${running[0] ?? next}:${next}:${running.join(",")}`;
      const snapshots = [shot()];
      for (const move of history) {
        if (move === "begin") running.push(next++);
        else if (move === "snapshot") snapshots.push(shot());
        else if (typeof move === "number" && running.length > 0) {
          const [xid = 0] = running.splice(move % running.length, 1);
          written.push({ xid, seq: written.length + 1 });
        }
      }
      snapshots.push(shot());
      const recent = createRecent();
      recent.begin("t", place(snapshots[0] ?? ""));
      const kept: ChangeItem[] = [];
      for (const [index, upTo] of snapshots.entries()) {
        const from = snapshots[index - 1];
        if (from === undefined) continue;
        const [before, after] = [readSnapshot(from), readSnapshot(upTo)];
        const fresh = written.filter(({ xid }) => isVisible(BigInt(xid), after) && !isVisible(BigInt(xid), before));
        const items = fresh.map(({ xid, seq }) => change(xid, seq, from, upTo));
        recent.keep(items);
        kept.push(...items);
      }
      for (const from of snapshots) {
        const missed = kept.filter(({ xid }) => !isVisible(xid, readSnapshot(from)));
        expect(recent.since(place(from), "t")).toEqual(missed);
      }
    }),
  );
});

test("of a step that was read half, what comes after the half is missed", () => {
  const recent = createRecent();
  recent.begin("t", place("10:10:"));
  const items = [1, 2, 3].map((seq) => change(9 + seq, seq, "10:10:", "20:20:"));
  recent.keep(items);
  expect(recent.since(place("10:10:", { snapshot: "20:20:", seq: 2 }), "t")).toEqual(items.slice(2));
});

test("what memory does not hold whole, it does not give: before the tenant was listened to, and what was dropped", () => {
  const recent = createRecent();
  recent.begin("t", place("10:12:10"));
  expect(recent.since(place("9:9:"), "t")).toBeNull();
  expect(recent.since(place("10:13:10,11"), "t")).toBeNull();
  expect(recent.since(place("10:12:10"), "t")).toEqual([]);
  expect(recent.since(place("10:12:10"), "another")).toBeNull();
  for (let n = 0; n <= liveLimits.recentItemsMax; n++)
    recent.keep([change(20 + n, n, `${20 + n}:${20 + n}:`, `${21 + n}:${21 + n}:`)]);
  expect(recent.since(place("12:12:"), "t")).toBeNull();
  const late = 20 + liveLimits.recentItemsMax;
  expect(recent.since(place(`${late}:${late}:`), "t")).toHaveLength(1);
  recent.end("t");
  expect(recent.since(place(`${late}:${late}:`), "t")).toBeNull();
});
