import type { Transcript } from "@aftercall/contract/call.ts";

import { sideOf } from "#/text/sides.ts";
import { isSpeech, turnsOf } from "#/text/turns.ts";

/**
 * Whether nobody but the menu of an automatic exchange spoke on the other side: it offers keys or choices at least once, and says
 * nothing else but that one should wait. A person who is reached in the end says something else.
 */
export function soundsLikeMenu(transcript: Transcript): boolean {
  const spoken = turnsOf(transcript).filter((turn) => isSpeech(turn) && sideOf(turn.role) !== "agent");
  const texts = spoken.map(({ text }) => text.replace(/\p{M}/gu, ""));
  return texts.some((text) => choices.test(text)) && texts.every((text) => choices.test(text) || waiting.test(text));
}

const keys = String.raw`(?:one|two|three|four|five|six|seven|eight|nine|zero|pound|star|\d|#|\*)`;
const choices = new RegExp(
  [
    String.raw`\b(?:press|dial|enter|push)\s+(?:the\s+)?${keys}`,
    String.raw`\b(?:main|following)\s+(?:menu|options)\b`,
    String.raw`\bpara\b.{0,60}\b(?:presione|oprima|marque|pulse)\b`,
    String.raw`\b(?:appuyez|tapez)\s+sur\b`,
    String.raw`\bdr[uü]cken\s+sie\b`,
    String.raw`нажмите`,
    String.raw`(?:^|[^\p{L}])(?:הקש|הקישו|הקישי|נא להקיש|יש להקיש|אנא הקש)\p{L}*`,
    String.raw`תפריט\s+(?:ה)?ראשי`,
  ].join("|"),
  "iu",
);
const waiting = new RegExp(
  [
    String.raw`\b(?:please\s+(?:hold|wait|stay)|your\s+call\s+is\s+important|(?:all|our)\b.{0,30}\b(?:agents|representatives|operators)\b.{0,30}\bbusy|next\s+available|may\s+be\s+recorded|thank\s+you\s+for\s+calling|welcome\s+to)\b`,
    String.raw`(?:אנא|נא)\s+(?:ה)?(?:להמתין|המתן|המתינו)|שיחתך\s+חשובה|כל\s+(?:ה)?נציג\p{L}*\s+(?:עסוק|תפוס)\p{L}*|שלום\s+והגעת\p{L}*|הגעת\p{L}*\s+ל|ברוכ\p{L}*\s+הבא\p{L}*|השיחה\s+מוקלטת`,
  ].join("|"),
  "iu",
);
