import { type CountryCode, findPhoneNumbersInText, isSupportedCountry } from "libphonenumber-js";

import type { Parsed, Surroundings } from "./parser.ts";

/**
 * Phone numbers as E.164 (`+972501234567`). A number that its country does not give out is found all the same, and says so:
 * lists of valid numbers lag behind, and a digit may have been heard wrongly.
 */
export function parsePhones(text: string, { country }: Surroundings): Parsed[] {
  if (!sevenDigits.test(text)) return [];
  const defaultCountry = country?.toUpperCase() ?? "";
  const options = isSupportedCountry(defaultCountry)
    ? { defaultCountry: defaultCountry satisfies CountryCode, extended: false }
    : { extended: false };
  return findPhoneNumbersInText(text, options).map(({ number, startsAt, endsAt }) =>
    number.isValid()
      ? { value: number.number, start: startsAt, end: endsAt }
      : {
          value: number.number,
          start: startsAt,
          end: endsAt,
          certainty: 0.5,
          note: "No such number is given out there.",
        },
  );
}

const sevenDigits = /(?:\d[^\d\n]{0,3}){6}\d/;
