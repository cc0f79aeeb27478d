import type { Found, Surroundings } from "../span.ts";

/** The names that the tenant lists and the name of the customer, as whole words; in Hebrew also behind up to two prefix letters. */
export function findNames(text: string, { names }: Surroundings): Found[] {
  return names.flatMap((name) => {
    const wanted = name.trim();
    if (wanted.length < 2) return [];
    const words = wanted
      .split(/\s+/)
      .map(escaped)
      .join(String.raw`[\s-]+`);
    const form = new RegExp(String.raw`(?<![\p{L}\p{M}\p{N}])[ובלמהכש]{0,2}(${words})(?![\p{L}\p{M}\p{N}])`, "giud");
    return [...text.matchAll(form)].flatMap((match) => {
      const place = match.indices?.[1];
      return place ? [{ start: place[0], end: place[1], type: "name" as const, value: wanted.toLowerCase() }] : [];
    });
  });
}

function escaped(word: string): string {
  return word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
