/** What engines call a language, as BCP 47: `english`, `heb`, `pt_BR` → `en`, `he`, `pt-BR`. Null for what is none. */
export function languageCode(told: string | null | undefined): string | null {
  const name = (told ?? "").trim().toLowerCase();
  if (name === "") return null;
  const found = named(name);
  if (found !== null) return found;
  try {
    return Intl.getCanonicalLocales(name.replaceAll("_", "-"))[0] ?? null;
  } catch {
    return null;
  }
}

/** `he-IL` → `he`: the form that most engines take. */
export function primaryLanguage(language: string): string {
  return language.split("-")[0]?.toLowerCase() ?? language;
}

/** Whisper answers with the English names of languages. */
function named(name: string): string | null {
  const names = new Intl.DisplayNames(["en"], { type: "language" });
  return whisperCodes.find((code) => names.of(code)?.toLowerCase() === name) ?? null;
}

const whisperCodes =
  "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jv su yue".split(
    " ",
  );
