import { tokensOf } from "#/text/tokens.ts";

/**
 * How many words of a text only fill time while the speaker thinks; null for a language without a list. Words that mean
 * something more often than not ("like", "so", `אז`) are not on the lists.
 */
export function countFillers(text: string, language: string): number | null {
  const list = lists[language.toLowerCase().split("-")[0] ?? ""];
  if (!list) return null;
  if (!list.hint.test(text)) return 0;
  const tokens = tokensOf(text);
  let count = 0;
  for (let i = 0; i < tokens.length; i++) {
    const word = tokens[i]?.text ?? "";
    if (list.sounds.test(word)) count++;
    else if (list.pairs.has(`${word} ${tokens[i + 1]?.text ?? ""}`)) {
      count++;
      i++;
    }
  }
  return count;
}

/** `hint` is true of every text that holds a filler, and of few others: it saves taking the others apart. */
type List = { readonly hint: RegExp; readonly sounds: RegExp; readonly pairs: ReadonlySet<string> };

/** Sounds as `tokensOf` folds them, however long they are drawn. */
const lists: Readonly<Record<string, List>> = {
  en: {
    hint: /u+h*m|uh|er|hm|ah|you know|i mean|sort of|kind of/i,
    sounds: /^(?:u+h*m+|u+h+|er+m*|h+m+|a+h+m+)$/,
    pairs: new Set(["you know", "i mean", "sort of", "kind of"]),
  },
  he: {
    hint: /אה|א+מ{2}|אמ+ם|המ+ם?|כאילו|יעני|בעצם/,
    sounds: /^(?:א+ה+|א+מ{2,}|א?ה+מ{2,}|כאילו|יעני)$/,
    pairs: new Set(["איך אומרים", "איך להגיד"].map((pair) => pair.replaceAll("ם", "מ").replaceAll("ך", "כ"))),
  },
  es: { hint: /e+h|e+m|o sea|este/i, sounds: /^(?:e+h+|e+m+|e+hm+)$/, pairs: new Set(["o sea"]) },
  fr: { hint: /eu+h|he+u|beu+h|genre|du coup/i, sounds: /^(?:eu+h+|heu+|beu+h)$/, pairs: new Set(["du coup"]) },
  de: { hint: /[äe]h|hm/i, sounds: /^(?:a+h+m*|e+h+m+|h+m+)$/, pairs: new Set() },
  ru: { hint: /э+|м{2,}|как бы|это самое/i, sounds: /^(?:э+м*|м{2,})$/, pairs: new Set(["как бы", "это самое"]) },
};
