import { phoneCountries } from "#/text/phone-countries.ts";

import { factOf } from "./project.ts";
import type { CallRecord } from "./record.ts";

/** The countries (ISO 3166) of a call's own numbers, the customer's first. */
export function countriesOf({ state }: Pick<CallRecord, "state">): string[] {
  const [from, to] = [factOf(state, "from_number"), factOf(state, "to_number")];
  return phoneCountries(factOf(state, "direction") === "outbound" ? [to, from] : [from, to]);
}
