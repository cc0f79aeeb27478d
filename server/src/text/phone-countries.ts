import { parsePhoneNumberFromString } from "libphonenumber-js";

/** The countries (ISO 3166) of phone numbers in E.164, each once, in their order; other numbers have none. */
export function phoneCountries(numbers: readonly (string | null)[]): string[] {
  const countries = numbers.flatMap((number) => {
    const parsed = number?.startsWith("+") ? parsePhoneNumberFromString(number) : undefined;
    return parsed?.country ?? [];
  });
  return [...new Set(countries)];
}
