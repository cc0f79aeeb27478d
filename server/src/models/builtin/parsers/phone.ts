import { type CountryCode, findPhoneNumbersInText, isSupportedCountry } from "libphonenumber-js";

import { chunksOf } from "./chunks.ts";
import type { Parsed, Surroundings } from "./parser.ts";

/** Phone numbers that their country gives out, as E.164 (`+972501234567`). */
export function parsePhones(text: string, { country, spend }: Surroundings): Parsed[] {
  if (!sevenDigits.test(text)) return [];
  const defaultCountry = country?.toUpperCase() ?? "";
  const options = isSupportedCountry(defaultCountry)
    ? { defaultCountry: defaultCountry satisfies CountryCode, extended: false }
    : { extended: false };
  return chunksOf(text).flatMap((chunk) =>
    sevenDigits.test(chunk.text) && spend(chunk.text.length)
      ? findPhoneNumbersInText(chunk.text, options).map(({ number, startsAt, endsAt }) => ({
          value: number.number,
          start: chunk.start + startsAt,
          end: chunk.start + endsAt,
        }))
      : [],
  );
}

const sevenDigits = /(?:\d[^\d\n]{0,3}){6}\d/;
