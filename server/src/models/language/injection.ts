import type { Turn } from "@aftercall/contract/call.ts";

/**
 * The turns in which somebody speaks to whoever grades the call: gives orders to a model, names a score, plays a role of the
 * protocol. Words alone are no proof, so nobody is punished for them: the call is judged again without these turns, and a
 * judgement that hangs on them is shown to a person.
 */
export function turnsToGrader(turns: readonly Turn[]): Set<number> {
  const found = turns.flatMap((turn, index) => {
    if (turn.role === "system" || turn.role === "tool") return [];
    const text = turn.text
      .normalize("NFKC")
      .replace(/[\p{Cf}\p{Mn}]/gu, "")
      .toLowerCase();
    return signs.some((sign) => sign.test(text)) ? [index] : [];
  });
  return new Set(found);
}

const instructionWords =
  "instructions?|rules?|prompts?|guidelines?|instrucciones|reglas|instruções|instructions|règles|anweisungen|regeln|istruzioni|инструкци\\S*|правил\\S*|הוראות|ההוראות|הנחיות|ההנחיות|التعليمات|تعليمات";
const ignoreWords =
  "ignore|disregard|forget|override|bypass|ignora|olvida|ignorez|oubliez|ignoriere|vergiss|ignore[zs]?|esqueça|игнорируй\\S*|забудь\\S*|התעלם|תתעלם|התעלמי|תתעלמי|התעלמו|תתעלמו|שכח|תשכח|تجاهل|انس";
const scoreWords =
  "score|grade|rate|rating|mark|points?|puntuación|puntaje|califica\\S*|nota|note[zr]?|bewert\\S*|punkte|punteggio|оцен\\S*|балл\\S*|ציון|ניקוד|דרג|תדרג|דרגי|נקודות|درجة|تقييم|قيم";

/** Patterns of bounded length; each looks at one turn in lower case without marks. */
const signs: readonly RegExp[] = [
  new RegExp(`(?:${ignoreWords})[^.!?\\n]{0,60}(?:${instructionWords})`, "u"),
  new RegExp(
    `(?:${scoreWords})[^.!?\\n]{0,40}(?:\\b100\\b|\\b10/10\\b|hundred|perfect|maximum|full marks|מאה|מקסימ\\S*|מושלם|مئة|cien\\b|cent\\b|hundert|сто\\b)`,
    "u",
  ),
  new RegExp(`(?:\\b100\\b|hundred|perfect|maximum|מאה)[^.!?\\n]{0,20}(?:${scoreWords})`, "u"),
  /<\/?\s{0,10}(?:system|assistant|user|transcript|instructions?|prompt|data|call)\b[^>]{0,40}>/u,
  /(?:^|\n)[ \t]{0,10}(?:system|assistant|developer)[ \t]{0,10}:/u,
  /["'{]\s{0,10}(?:score|verdict|result|criteria|evaluation|points)["']?\s{0,10}:/u,
  /<\|[^|]{0,40}\||\[\/?inst\]|<<\/?sys>>|```/u,
  /(?:you are|you're|act as|pretend to be)\s{1,5}(?:now\s{1,5})?(?:an?|the)\s{1,5}(?:ai|language model|assistant|grader|evaluator|judge|reviewer)/u,
  /\b(?:ai|evaluator|grader|language model|llm)\b[^.!?\n]{0,30}\b(?:must|should|please|have to)\b/u,
  /\b(?:mark|flag|classify|label|treat)\b[^.!?\n]{0,30}\b(?:as\s+(?:a\s+)?(?:vip|passed|resolved|successful|excellent|met)|all criteria)\b/u,
];
