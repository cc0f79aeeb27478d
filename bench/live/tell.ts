import { setTimeout as sleep } from "node:timers/promises";

import { nowMs } from "../load/clock.ts";
import { openConnection } from "../load/connection.ts";

/** Tells a server what is being said in calls, as Vapi does, so many times a second. */
export type Teller = {
  readonly secret: string;
  readonly port: number;
  readonly path: string;
  /** Gives when each update was sent and answered, by its place in `calls`, and the places of those that were not taken. */
  tell(calls: readonly string[], perSecond: number, firstNumber: number): Promise<Told>;
  close(): void;
};

export type Told = {
  readonly sentAt: Float64Array;
  readonly answeredAt: Float64Array;
  readonly refused: readonly number[];
};

export function createTeller(secret: string, port: number, path: string): Teller {
  const free = Array.from({ length: 16 }, () => openConnection(port));
  const all = [...free];
  let timestamp = Date.now();

  return {
    secret,
    port,
    path,
    async tell(calls, perSecond, firstNumber) {
      const sentAt = new Float64Array(calls.length);
      const answeredAt = new Float64Array(calls.length);
      const startedAt = nowMs();
      const refused: number[] = [];
      let answered = 0;
      for (const [index, call] of calls.entries()) {
        while (nowMs() < startedAt + (index * 1000) / perSecond || free.length === 0) await sleep(1);
        const connection = free.pop();
        sentAt[index] = nowMs();
        connection?.send([update(call, firstNumber + index)], (status) => {
          answeredAt[index] = nowMs();
          answered++;
          if (status !== 200) refused.push(index);
          free.push(connection);
        });
      }
      while (answered < calls.length) await sleep(5);
      return { sentAt, answeredAt, refused };
    },
    close() {
      for (const connection of all) connection.close();
    },
  };

  function update(call: string, number: number): Buffer {
    const body = JSON.stringify({
      message: {
        // Vapi's events have no ids: the time tells two of them apart.
        timestamp: timestamp++,
        type: "transcript",
        transcriptType: "partial",
        role: "user",
        transcript: `update ${number}: ${said}`,
        call: { id: call },
      },
    });
    const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Vapi-Secret: ${secret}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    return Buffer.from(head + body);
  }
}

const said =
  "I would like to know when the kitchen can be delivered, and whether somebody can call me back tomorrow. ".repeat(3);
