import { expect, test } from "vitest";

import { createFakeClock } from "../../test/harness/clock.ts";
import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { silentLog } from "../kernel/log.ts";
import { createHub, type Hub } from "./hub.ts";
import { liveLimits } from "./limits.ts";
import { insertChanges } from "./store.ts";
import type { Subscriber } from "./subscriber.ts";

const { db } = await testDatabase();

type Told = { readonly subscriber: Subscriber; readonly said: string[] };

function subscriberOf(tenantId: string, credential: string, wantsPairs: boolean, hub: Hub): Told {
  const said: string[] = [];
  const subscriber: Subscriber = {
    tenantId,
    businessId: null,
    credential,
    wantsPairs,
    wants: () => true,
    take: ({ item }) => void said.push("turn" in item ? item.turn.text : "call"),
    follow: () => {},
    beat: () => void said.push("beat"),
    reset: () => void said.push("reset"),
    end(reason) {
      said.push(reason);
      hub.leave(subscriber);
    },
  };
  return { subscriber, said };
}

test("streams hear a sign of life every 15 s and sockets every 30, for as long as they are there", async () => {
  const tenantId = await makeTenant(db);
  const clock = createFakeClock();
  const hub = createHub({ db, clock, log: silentLog(), tenantOf: async () => tenantId });
  hub.start();
  const [stream, socket] = [subscriberOf(tenantId, "a", false, hub), subscriberOf(tenantId, "a", true, hub)];
  await hub.enter(stream.subscriber, () => {});
  await hub.enter(socket.subscriber, () => {});
  await clock.advance(120_000);
  expect(stream.said).toEqual(Array(8).fill("beat"));
  expect(socket.said).toEqual(Array(4).fill("beat"));
  hub.leave(stream.subscriber);
  await clock.advance(60_000);
  expect(stream.said).toHaveLength(8);
  await hub.stop();
  expect(socket.said.at(-1)).toBe("stopping");
});

test("a credential that does not count any more ends its connections within a minute, and no others", async () => {
  const tenantId = await makeTenant(db);
  const clock = createFakeClock();
  const asked: string[] = [];
  let isDown = false;
  const tenantOf = async (credential: string) => {
    asked.push(credential);
    if (isDown) throw new Error("the database is away");
    return credential === "revoked" ? null : tenantId;
  };
  const hub = createHub({ db, clock, log: silentLog(), tenantOf });
  hub.start();
  const all = ["good", "revoked", "revoked"].map((credential) => subscriberOf(tenantId, credential, true, hub));
  for (const { subscriber } of all) await hub.enter(subscriber, () => {});
  isDown = true;
  await clock.advance(liveLimits.recheckMs);
  expect(all.flatMap(({ said }) => said).filter((word) => word !== "beat")).toEqual([]);
  isDown = false;
  asked.length = 0;
  await clock.advance(liveLimits.recheckMs);
  expect(asked).toEqual(["good", "revoked"]);
  expect(all.map(({ said }) => said.filter((word) => word !== "beat"))).toEqual([
    [],
    ["credential_ended"],
    ["credential_ended"],
  ]);
  await hub.stop();
});

test("what one reader is given by the database, all who wait for it hear once, whichever of their keys it meets", async () => {
  const tenantId = await makeTenant(db);
  const clock = createFakeClock();
  const hub = createHub({ db, clock, log: silentLog(), tenantOf: async () => tenantId });
  const [both, one, none] = [0, 1, 2].map(() => subscriberOf(tenantId, "a", false, hub));
  if (!both || !one || !none) throw new Error("three were made");
  await hub.enter(both.subscriber, () => hub.interests.add(tenantId, both.subscriber, ["name room", "generic room"]));
  await hub.enter(one.subscriber, () => hub.interests.add(tenantId, one.subscriber, ["*"]));
  await hub.enter(none.subscriber, () => hub.interests.add(tenantId, none.subscriber, ["name another"]));
  const turn = { role: "agent" as const, text: "hello", start_ms: null, is_final: true };
  const payload = { at: 1, turn, aliases: [["generic", "room"]] as const };
  await db.inTransaction([tenantId], (tx) =>
    insertChanges(tx, [{ tenant_id: tenantId, kind: "transcription", call_id: tenantId, campaign_id: null, payload }]),
  );
  hub.look();
  // Who is let in after it has come too late for it.
  const late = subscriberOf(tenantId, "a", false, hub);
  await hub.enter(late.subscriber, () => hub.interests.add(tenantId, late.subscriber, ["*"]));
  expect([both.said, one.said, none.said, late.said]).toEqual([["hello"], ["hello"], [], []]);
  await hub.stop();
});

test("nobody is let in while the database is away, nor once the hub stops", async () => {
  const tenantId = await makeTenant(db);
  const clock = createFakeClock();
  const away = { inTransaction: () => Promise.reject(new Error("away")) };
  const hub = createHub({ db: away, clock, log: silentLog(), tenantOf: async () => tenantId });
  await expect(hub.enter(subscriberOf(tenantId, "a", false, hub).subscriber, () => {})).rejects.toMatchObject({
    status: 503,
  });
  await hub.stop();
  await expect(hub.enter(subscriberOf(tenantId, "a", false, hub).subscriber, () => {})).rejects.toMatchObject({
    status: 503,
  });
});
