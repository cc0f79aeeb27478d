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

/** Up to so many characters of the same sentence. */
const near = (most: number) => `[^.!?\\n]{0,${most}}`;
const any = (...words: string[]) => `(?:${words.join("|")})`;

const ignore = any(
  ..."ignore disregard forget override bypass ignora ignore[zs]? olvida oubliez oublie ignoriere vergiss esqueça".split(
    " ",
  ),
  ..."игнорируй\\S* забудь\\S* התעלם תתעלם התעלמי תתעלמי התעלמו תתעלמו תשכח תשכחי تجاهل\\S* انس\\S*".split(" "),
);
const rules = any(
  ..."instructions? rules? prompts? guidelines? criteria instrucciones reglas instruções regras règles".split(" "),
  ..."anweisungen regeln istruzioni regole инструкци\\S* правил\\S* ה?הוראות ה?הנחיות ה?כללים ال?تعليمات ال?قواعد".split(
    " ",
  ),
);
const full = any(..."100\\b 10/10 hundred perfect maximum highest full zero מאה מושלם מקסימלי".split(" "));

/**
 * Orders to whoever grades, not words that merely belong to grading: "the rate is a hundred dollars", "mark it as resolved" and
 * "you're an AI, right?" are ordinary talk. Each pattern looks at one turn in lower case without marks, and its length is bounded.
 */
const signs: readonly RegExp[] = [
  new RegExp(`${ignore}${near(60)}${rules}`, "u"),
  new RegExp(`\\b(?:score|grade|rate|mark|evaluate) (?:this|the|my|our|me|him|her|it|all)\\b${near(40)}${full}`, "u"),
  new RegExp(`\\b(?:give|award|assign|set)\\b${near(40)}\\b(?:score|grade|rating|marks?)\\b${near(20)}${full}`, "u"),
  new RegExp(`\\b(?:give|award|assign|set)\\b${near(40)}${full}${near(15)}\\b(?:score|grade|rating|marks?)\\b`, "u"),
  new RegExp(`\\b(?:grade|score) (?:her|him|me|them|this|it)\\b${near(20)}\\b(?:points|marks)`, "u"),
  new RegExp(`(?:תן|תני|תנו|לתת|שים|שימי|רשום|קבע|דרג|תדרג)${near(40)}(?:ציון|ניקוד|דירוג)`, "u"),
  new RegExp(`(?:ציון|ניקוד|דירוג) (?:של )?${full}`, "u"),
  new RegExp(`(?:pon|ponga|dale|asigna|califica)\\S{0,5}${near(40)}(?:nota|puntuación|calificación|puntaje)`, "u"),
  new RegExp(`(?:donne|mets|mettez|attribue)\\S{0,3}${near(40)}(?:note|score)${near(20)}(?:100|max|parfait)`, "u"),
  new RegExp(
    `(?:gib|gebt|geben|bewerte)${near(40)}(?:note|punkte|bewertung)${near(20)}(?:100|volle|beste|höchst)`,
    "u",
  ),
  new RegExp(`(?:gib|gebt|bewerte)${near(40)}(?:100|volle|höchst)${near(15)}(?:note|punkt|bewertung)`, "u"),
  new RegExp(`(?:поставь|поставьте|дай|дайте|оцени)\\S{0,4}${near(40)}(?:оценк|балл)`, "u"),
  new RegExp(`(?:اعط|أعط|امنح|ضع)${near(40)}(?:درجة|تقييم|علامة)`, "u"),
  /<\/?\s{0,10}(?:system|assistant|user|transcript|instructions?|prompt|data)\b[^>]{0,40}>/u,
  /(?:^|\n)[ \t]{0,10}(?:system|assistant|developer)[ \t]{0,10}:/u,
  /["'{]\s{0,10}(?:score|verdict|result|criteria|evaluation|points)["']?\s{0,10}:/u,
  /<\|[^|]{0,40}\||\[\/?inst\]|<<\/?sys>>|```/u,
  /(?:you are|you're|act as|pretend to be) (?:now )?(?:an?|the) (?:language model|llm|grader|evaluator|judge of this call)/u,
  /\b(?:evaluator|grader|language model|llm|ai (?:grader|evaluator|reviewer|judge))\b[^.!?\n]{0,30}\b(?:must|should|please|have to)\b/u,
  /\b(?:mark|set|count|treat)\b[^.!?\n]{0,15}\b(?:all|every)\b[^.!?\n]{0,15}\b(?:criteri\S{1,3}|checks?) /u,
];
