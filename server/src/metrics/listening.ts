import { tokensOf } from "#/text/tokens.ts";

/** Whether a turn says nothing but that its speaker is listening: "mm-hm", "yes, right", `אהה, כן`. */
export function isListening(text: string, language: string | null): boolean {
  if (text.length > 60) return false;
  const words = listeningWords[language?.toLowerCase().split("-")[0] ?? ""];
  if (!words) return false;
  const tokens = tokensOf(text);
  return tokens.length > 0 && tokens.every((token) => words.has(token.text) || hum.test(token.text));
}

/** Sounds that are written in as many ways as there are engines. */
const hum = /^(?:m+|h*m+h*m*|u+h+|a+h+|o+h+|אה+|המ+|מ{2,}|אמ{2,})$/;

/** As `tokensOf` folds them. */
const listeningWords: Readonly<Record<string, ReadonlySet<string>>> = {
  en: new Set("yes yeah yep yup right okay ok sure i see got it exactly true cool good great mhm huh".split(" ")),
  he: new Set("כנ נכונ אוקיי אוקי או קיי בסדר טוב הבנתי יופי אהא אוקיי סבבה מצוינ ברור בטח".split(" ")),
  es: new Set("si vale claro ya bien entiendo ok aja".split(" ")),
  fr: new Set("oui d'accord ok bien voila c'est ça ca exact".split(" ")),
  de: new Set("ja genau okay ok gut klar stimmt richtig aha".split(" ")),
  ru: new Set("да угу ага так хорошо понятно ясно".split(" ")),
};
