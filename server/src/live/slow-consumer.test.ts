import { expect, test } from "vitest";

import { testDatabase } from "../../test/harness/database.ts";
import { makeTenant } from "../../test/harness/tenant.ts";
import { systemClock } from "../kernel/clock.ts";
import { silentLog } from "../kernel/log.ts";
import { type ChangeItem, itemOf } from "./change-item.ts";
import type { Place } from "./cursor.ts";
import { createHub } from "./hub.ts";
import { createInterests } from "./interests.ts";
import { liveLimits } from "./limits.ts";
import { createListener } from "./listener.ts";
import { createResume } from "./resume.ts";
import { createStream } from "./stream.ts";
import type { Subscriber } from "./subscriber.ts";

const { db } = await testDatabase();
const place: Place = { cluster: "1", at: 1_000, seen: "5:9:5", ahead: null };

const someId = "01995b2c-7a1e-7c3d-8a1b-2c3d4e5f6071";

/** Somebody says something in the call that is known as `loud`. */
function turn(tenantId: string): ChangeItem {
  const said = { role: "agent", text: "שלום", start_ms: null, is_final: true };
  const payload = { at: 1_772_460_000_000, turn: said, aliases: [["generic", "loud"]] };
  const row = {
    tenant_id: tenantId,
    xid: "7",
    seq: 7,
    kind: "transcription" as const,
    call_id: someId,
    campaign_id: null,
  };
  return itemOf({ ...row, payload: JSON.stringify(payload) }, place, "9:9:");
}

test("a stream whose bytes nobody takes is told why in its last item, closed, and not written to any more", () => {
  const written: string[] = [];
  const left: Subscriber[] = [];
  const interests = createInterests<Subscriber>();
  const keys = ["name loud"];
  const stream = createStream({
    tenantId: someId,
    businessId: null,
    credential: "",
    keys,
    interests,
    left: (one) => left.push(one),
  });
  interests.add(someId, stream, keys);
  const outlet = {
    pendingBytes: 0,
    write: (bytes: Buffer) => void written.push(bytes.toString()),
    end: () => written.push("END"),
  };
  stream.open(outlet, place);
  stream.goLive();
  stream.take(turn(someId), null);
  outlet.pendingBytes = liveLimits.waitingBytesMax + 1;
  stream.take(turn(someId), null);
  stream.take(turn(someId), null);
  stream.beat(place);
  expect(written).toHaveLength(5);
  expect(written.slice(3)).toEqual(['event: end\ndata: {"reason":"slow_consumer"}\n\n', "END"]);
  expect(left).toEqual([stream]);
  expect(interests.waiting(someId, keys).size).toBe(0);
});

test("a socket whose frames nobody takes is closed with the reason; one that does not answer a ping too", async () => {
  const tenantId = await makeTenant(db);
  const hub = createHub({ db, clock: systemClock, log: silentLog(), tenantOf: async () => tenantId });
  const resume = createResume({ db, clock: systemClock, log: silentLog(), hub });
  const closed: string[] = [];
  const wire = { pendingBytes: 0, send: () => {}, ping: () => {}, close: () => {} };
  const open = async () => {
    const listener = createListener({
      wire,
      tenantId,
      businessId: null,
      seesDeliveries: true,
      credential: "",
      hub,
      resume,
      db,
      close: (code, reason) => closed.push(`${code} ${reason}`),
    });
    await hub.enter(listener, () => {});
    return listener;
  };
  const slow = await open();
  await slow.subscribe("loud");
  slow.take(turn(tenantId), null);
  wire.pendingBytes = liveLimits.waitingBytesMax + 1;
  slow.take(turn(tenantId), null);
  const silent = await open();
  silent.beat(place);
  silent.pong();
  silent.beat(place);
  silent.beat(place);
  expect(closed).toEqual(["1013 slow_consumer: messages were not taken fast enough", "1001 no answer to a ping"]);
});
