import { request, type IncomingMessage } from "node:http";

import type { Import } from "@aftercall/contract/import.ts";

import { systemClock } from "#/kernel/clock.ts";

import type { Customer } from "./customer.ts";

/** A past call in our own form. */
export const pastCall = (id: string) => ({
  id,
  status: "completed",
  direction: "inbound",
  from: "+972501234567",
  to: "+97233764400",
  started_at: "2025-03-02T14:23:19Z",
  ended_at: "2025-03-02T14:23:45Z",
  summary: "Asked for a viewing.",
  transcript: [
    { role: "agent", text: "Hello, this is Noa.", start_ms: 700, end_ms: 2_600 },
    { role: "customer", text: "I would like to see the flat.", start_ms: 4_100, end_ms: 8_200 },
  ],
});

/** Lines, each as it is or as JSON. */
export const fileOf = (lines: readonly (object | string)[]) =>
  lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");

/** Sends the beginning of a file to a server and no end. */
export function sendPart(url: string, key: string, part: string) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/x-ndjson" };
  const sending = request(`${url}/v1/imports`, { method: "POST", headers });
  // Whoever is cut off, or cuts off, has no answer.
  const answered = new Promise<IncomingMessage | null>((resolve) => {
    sending.on("response", resolve).on("error", () => resolve(null));
  });
  sending.write(part);
  return { sending, answered };
}

/** The newest import of a customer, when it is as it has to be. */
export async function importThat(customer: Customer, isSo: (row: Import) => boolean): Promise<Import> {
  for (;;) {
    const [row] = (await customer.get("/v1/imports")).data;
    if (row && isSo(row)) return row;
    await systemClock.sleep(10);
  }
}
