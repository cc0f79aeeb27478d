import type { Found } from "../span.ts";

/** Street addresses, by the words that name a street and the number beside its name. */
export function findAddresses(text: string): Found[] {
  return forms.flatMap((form) =>
    [...text.matchAll(form)].map((match) => ({
      start: match.index,
      end: match.index + match[0].length,
      type: "address" as const,
      value: match[0].toLowerCase().replaceAll(/\s+/g, " "),
    })),
  );
}

const name = String.raw`[\p{L}][\p{L}\p{M}'"׳״.-]{0,30}`;
const forms: readonly RegExp[] = [
  // 12 Baker Street
  new RegExp(
    String.raw`\b\d{1,5}[a-z]? (?:${name} ){1,4}(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|court|square)\b\.?`,
    "giu",
  ),
  // רחוב הרצל 12, also with a letter before it: ברחוב
  new RegExp(
    String.raw`(?<![\p{L}\p{M}])[ובלמהכש]{0,2}(?:רחוב|רח['׳]|שדרות|שד['׳]|סמטת|דרך|כיכר) ${name}(?: ${name}){0,3}? (?:מספר )?\d{1,4}`,
    "giu",
  ),
];
