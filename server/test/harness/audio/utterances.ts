import { readFileSync } from "node:fs";
import path from "node:path";

import { muLawTable } from "#/audio/wav/g711.ts";

/** Samples a second: a telephone's. */
export const sampleRate = 8_000;

/** What is said in the calls of tests, by which voice of espeak-ng. Each lies in server/test/fixtures/audio as it was spoken once. */
export const utterances = {
  "en-agent-hello": { voice: "en-us", text: "Hello this is the booking desk" },
  "en-agent-help": { voice: "en-us", text: "how can I help you with your visit" },
  "en-agent-city": { voice: "en-us", text: "Of course in which city are you?" },
  "en-customer-visit": { voice: "en-us+f3", text: "I would like a visit tomorrow." },
  "en-customer-haifa": { voice: "en-us+f3", text: "I live in Haifa." },
  "en-customer-bye": { voice: "en-us+f3", text: "Thank you goodbye." },
  "he-agent-hello": { voice: "he", text: "שלום מדבר דני ממוקד ההזמנות" },
  "he-agent-help": { voice: "he", text: "איך אפשר לעזור לך" },
  "he-agent-bye": { voice: "he", text: "תודה רבה להתראות" },
  "he-customer-plumber": { voice: "he+f3", text: "אני צריכה אינסטלטור מחר" },
  "he-customer-city": { voice: "he+f3", text: "אני גרה בבית שאן" },
} as const;

export type UtteranceName = keyof typeof utterances;

/** Where the sounds lie that tests cannot make on every machine. */
export const audioDir = path.join(import.meta.dirname, "../../fixtures/audio");

/** 16-bit samples, from the first that is heard to the last. */
export function spoken(name: UtteranceName): Int16Array {
  const file = readFileSync(path.join(audioDir, `${name}.wav`));
  const samples = muLawTable();
  return Int16Array.from(file.subarray(44), (byte) => samples[byte] ?? 0);
}
