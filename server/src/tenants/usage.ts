import type { Handlers } from "@aftercall/contract/api.ts";
import type { usageRoutes } from "@aftercall/contract/routes/usage.ts";
import type { UsageDay } from "@aftercall/contract/usage.ts";

import type { Db } from "#/db/transaction.ts";
import type { Clock } from "#/kernel/clock.ts";
import { Invalid } from "#/kernel/errors.ts";
import { uuidFrom } from "#/kernel/ids.ts";

import { countDays } from "./usage-store.ts";

/** `GET /v1/usage`. */
export function usageHandlers({ db, clock }: { db: Db; clock: Clock }): Handlers<typeof usageRoutes> {
  return {
    async getUsage({ tenant, query }) {
      const last = query.to === undefined ? dayOf(clock.now()) : Date.parse(query.to);
      const first = query.from === undefined ? last - 29 * dayMs : Date.parse(query.from);
      const days = (last - first) / dayMs + 1;
      if (days < 1 || days > daysMax) {
        const detail = `The last day is not before the first, and there are at most ${daysMax}`;
        throw new Invalid("The range is refused", [{ pointer: query.from === undefined ? "?to" : "?from", detail }]);
      }
      const counted = await db.inTransaction([tenant], (tx) =>
        countDays(tx, tenant, {
          from: new Date(first),
          until: new Date(last + dayMs),
          // An id may be older or younger than the row's own time by as long as a transaction takes.
          fromId: uuidFrom(Math.max(0, first - slackMs), 0, "0".repeat(16)),
          untilId: uuidFrom(last + dayMs + slackMs, 0, "0".repeat(16)),
        }),
      );
      const known = new Map(counted.map((row) => [row.day, row]));
      const data = Array.from({ length: days }, (_, i) => {
        const day = textOf(first + i * dayMs);
        return known.get(day) ?? { ...nothing, day };
      });
      const total = { ...nothing };
      for (const row of data) for (const name of names) total[name] += row[name];
      return { from: textOf(first), to: textOf(last), data, total };
    },
  };
}

const dayMs = 86_400_000;
const slackMs = 3_600_000;
const daysMax = 92;
const nothing: Omit<UsageDay, "day"> = { events: 0, calls: 0, messages: 0, deliveries: 0, attempts: 0 };
const names = ["events", "calls", "messages", "deliveries", "attempts"] as const;

function dayOf(ms: number): number {
  return ms - (ms % dayMs);
}

function textOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
