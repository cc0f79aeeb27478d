import { type CountryCode, findPhoneNumbersInText, isSupportedCountry } from "libphonenumber-js";

import { phoneShapes } from "#/text/phone-shapes.ts";

import { type Chunk, chunksOf } from "./chunks.ts";
import type { Parsed, Surroundings } from "./parser.ts";

/**
 * Phone numbers that their country gives out, as E.164 (`+972501234567`). Where nobody knows the country, a number that was said
 * as it is dialled there is found and not understood.
 */
export function parsePhones(text: string, { country, callCountry, spend }: Surroundings): Parsed[] {
  if (!sevenDigits.test(text)) return [];
  const defaultCountry = (country ?? callCountry)?.toUpperCase() ?? "";
  const options = isSupportedCountry(defaultCountry)
    ? { defaultCountry: defaultCountry satisfies CountryCode, extended: false }
    : { extended: false };
  return chunksOf(text).flatMap((chunk) => {
    if (!sevenDigits.test(chunk.text) || !spend(chunk.text.length)) return [];
    const found = findPhoneNumbersInText(chunk.text, options).map(({ number, startsAt, endsAt }) => ({
      value: number.number,
      start: chunk.start + startsAt,
      end: chunk.start + endsAt,
    }));
    return "defaultCountry" in options ? found : [...found, ...ofUnknownCountry(chunk)];
  });
}

function ofUnknownCountry({ text, start: from }: Chunk): Parsed[] {
  return phoneShapes(text).flatMap(({ start, end, digits }) =>
    text.slice(start, end).includes("+")
      ? []
      : [{ value: digits, start: from + start, end: from + end, fault: "The country of the number is not known." }],
  );
}

const sevenDigits = /(?:\d[^\d\n]{0,3}){6}\d/;
