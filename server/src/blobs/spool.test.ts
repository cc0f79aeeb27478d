import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { afterAll, expect, test } from "vitest";

import { systemClock } from "#/kernel/clock.ts";
import { createIds } from "#/kernel/ids.ts";

import { createSpool } from "./spool.ts";

const dir = mkdtempSync(path.join(tmpdir(), "aftercall-spool-"));
afterAll(() => rmSync(dir, { recursive: true }));

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("what was written is let go of: memory does not grow with the length of a recording", async () => {
  const spool = await createSpool({ dir, clock: systemClock, ids: createIds(systemClock) });
  const held: number[] = [];
  async function* source() {
    for (let chunk = 0; chunk < 200; chunk++) {
      yield Buffer.alloc(262_144, chunk);
      if (chunk % 100 !== 99) continue;
      collectGarbage();
      held.push(process.memoryUsage().arrayBuffers);
    }
  }
  await using file = await spool.write(source(), { bytesMax: 1e9, timeMsMax: 60_000 });
  expect(file.bytes).toBe(200 * 262_144);
  const [half = 0, whole = 0] = held;
  // Half of it is 26 MB.
  expect(whole - half).toBeLessThan(5_000_000);
});
