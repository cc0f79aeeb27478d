import { findPhoneNumbersInText, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js";

import { digitRuns, stretchesOf } from "../digits.ts";
import type { Found, Surroundings } from "../span.ts";

/**
 * Phone numbers: as they are written, by the numbering plans of libphonenumber, and as they are spelled out. A number that is
 * possible but not in use counts too: what looks like a phone number is not worth publishing.
 */
export function findPhones(text: string, { country }: Surroundings): Found[] {
  const local = isSupportedCountry(country) ? { defaultCountry: country } : {};
  const written = findPhoneNumbersInText(text, local).map(({ startsAt, endsAt, number }) => ({
    start: startsAt,
    end: endsAt,
    type: "phone" as const,
    value: number.number,
  }));
  return [...written, ...spelledOut(text, local)];
}

function spelledOut(text: string, local: Parameters<typeof findPhoneNumbersInText>[1]): Found[] {
  return digitRuns(text).flatMap((run) =>
    stretchesOf(run, { min: 9, max: 15, is: (digits) => numberOf(digits, local) !== null }).map(
      ({ start, end, digits }) => ({ start, end, type: "phone" as const, value: numberOf(digits, local) ?? digits }),
    ),
  );
}

/** Only what begins as a dialled number does: by 0 inside the country, or by its own prefix and valid. */
function numberOf(digits: string, local: Parameters<typeof findPhoneNumbersInText>[1]): string | null {
  const national = parsePhoneNumberFromString(digits, local);
  if (digits.startsWith("0") && national?.isPossible()) return national.number;
  const international = parsePhoneNumberFromString(`+${digits}`);
  if (international?.isValid()) return international.number;
  return national?.isValid() ? national.number : null;
}
