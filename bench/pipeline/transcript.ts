import type { Transcript } from "@aftercall/contract/call.ts";

/**
 * A call as long as asked for, the same every time: 150 words a minute in turns of about eleven, half of the words small ones
 * and the others as rare as words are (by Zipf's law out of 3,000), now and then a question, a number, an amount, a day.
 */
export function makeTranscript({ language, minutes }: { language: "en" | "he"; minutes: number }): Transcript {
  const { small, letters, extras } = languages[language];
  const next = numbers(minutes + language.length);
  const words = Array.from({ length: 3000 }, () =>
    Array.from({ length: 3 + next(6) }, () => letters.charAt(next(letters.length))).join(""),
  );
  const word = () =>
    (next(2) ? small[next(small.length)] : words[Math.floor(words.length ** (next(1e6) / 1e6)) - 1]) ?? "";
  const sentence = () => Array.from({ length: 5 + next(8) }, word).join(" ");
  const turns = Array.from({ length: Math.round((minutes * 40) / 3) }, (_, i) => ({
    role: i % 2 ? ("customer" as const) : ("agent" as const),
    text: `${sentence()}${next(2) ? "" : `. ${sentence()}`}${next(5) ? "." : "?"}${next(10) ? "" : ` ${extras[next(extras.length)]}`}`,
    start_ms: i * 4500,
    end_ms: i * 4500 + 4200,
  }));
  return { text: turns.map(({ text }) => text).join("\n"), turns, language };
}

const languages = {
  en: {
    small: "the a to I you it is of and in that for on we".split(" "),
    letters: "etaoinshrdlucmfwypvbg",
    extras: ["My number is 050-123-4567.", "It costs $120.", "Tomorrow at 10:30 in Haifa?", "Order number AB-1234."],
  },
  he: {
    small: "אני את זה של לא כן על עם מה יש אז גם".split(" "),
    letters: "אבגדהוזחטיכלמנסעפצקרשת",
    extras: ["המספר שלי 050-123-4567.", 'זה עולה 120 ש"ח.', "מחר בעשר בבוקר בחיפה?", "מספר הזמנה 445566."],
  },
};

/** Numbers below a bound, the same for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
