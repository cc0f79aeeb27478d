/**
 * A customer whose server takes its time, in a process of its own: `node slow-receiver.ts <file> <seed>`. Writes down every
 * request that came, whole, before it answers; says to its parent how many it has not answered yet, and how many are under way
 * for the sender: those, and what was answered a moment ago, whose result it may not have stored.
 */
import { openSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { randomFraction } from "#/kernel/random.ts";

import { createRandom } from "../harness/random.ts";

const [file = "", seed = "1"] = process.argv.slice(2);
const random = createRandom(Number(seed));
const received = openSync(file, "a");
const open = new Set<object>();
const underWay = new Set<object>();
const storedWithinMs = 500;

const server = createServer((request, response) => {
  open.add(response);
  underWay.add(response);
  response.on("close", () => {
    open.delete(response);
    setTimeout(() => underWay.delete(response), storedWithinMs);
  });
  request.resume().on("end", () => {
    writeSync(received, `${request.url} ${String(request.headers["webhook-id"])}\n`);
    setTimeout(() => response.writeHead(200).end(), 500 + randomFraction(random) * 1_000);
  });
});
server.listen(0, "127.0.0.1", 2_000, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("message", () => process.send?.({ open: open.size, underWay: underWay.size }));
process.on("disconnect", () => process.exit(0));
