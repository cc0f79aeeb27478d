import { MomentKind } from "@aftercall/contract/moment.ts";

import { type Moment, momentsOf } from "../moment.ts";
import { durationOf, listOf, objectAt, textOf, timeOf, wordOf } from "../read.ts";

/**
 * What happened inside a call, as a list of objects in our own words (contract: CallMoment). What has another kind is left out.
 */
export function momentsFrom(value: unknown): Moment[] {
  return momentsOf(
    listOf(value).flatMap((given) => {
      const item = objectAt(given);
      const kind = MomentKind.safeParse(wordOf(item["kind"]));
      if (!kind.success) return [];
      return [
        {
          kind: kind.data,
          ref: textOf(item["id"]),
          name: textOf(item["name"]),
          at_ms: durationOf(item["at_ms"], "ms"),
          end_ms: durationOf(item["end_ms"], "ms"),
          at: timeOf(item["at"]),
          end_at: timeOf(item["end_at"]),
          args: item["args"],
          result: item["result"],
          is_error: typeof item["is_error"] === "boolean" ? item["is_error"] : null,
          latency_ms: durationOf(item["latency_ms"], "ms"),
        },
      ];
    }),
  );
}
