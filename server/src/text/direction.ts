/** The direction in which a language (a BCP 47 tag) or a text is written; of a text, its first letter decides. */
export function directionOf(languageOrText: string): "ltr" | "rtl" {
  if (languageTag.test(languageOrText)) {
    const [language = "", ...rest] = languageOrText.toLowerCase().split("-");
    if (rest.includes("latn")) return "ltr";
    return rightToLeft.has(language) || rest.some((part) => part === "arab" || part === "hebr") ? "rtl" : "ltr";
  }
  const first = /\p{L}/u.exec(languageOrText)?.[0] ?? "";
  return /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(first)
    ? "rtl"
    : "ltr";
}

const languageTag = /^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/i;
const rightToLeft: ReadonlySet<string> = new Set("he iw yi ar fa ps ur ug sd dv syr arc ckb nqo prs".split(" "));
