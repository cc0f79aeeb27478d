import type { Transcript } from "@aftercall/contract/call.ts";

import { sideOf } from "#/text/sides.ts";
import { isSpeech, turnsOf } from "#/text/turns.ts";

/**
 * Whether a machine answered: the greeting of a voicemail early in what the other side says, and hardly anything after it. A
 * person who speaks of a voicemail goes on talking; a machine does not.
 */
export function soundsLikeVoicemail(transcript: Transcript): boolean {
  const spoken = turnsOf(transcript).filter(isSpeech);
  const others = spoken.filter(({ role }) => sideOf(role) !== "agent");
  const greeting = others.findIndex(({ text }) => machine.test(text.replace(/\p{M}/gu, "")));
  return greeting >= 0 && greeting < turnsBefore && others.length - greeting - 1 <= turnsAfter;
}

/** The greeting may come in two pieces, and the tone or a "goodbye" may be written as a turn after it. */
const turnsBefore = 3;
const turnsAfter = 2;

const english = String.raw`(?:leave|record)\s+(?:me\s+|us\s+)?(?:a|your)\s+(?:\w+\s+)?(?:message|name)|(?:after|at)\s+the\s+(?:tone|beep)|(?:reached|this is)\s+(?:the\s+)?(?:voice ?mail|mailbox|answering machine)|(?:is|are|am)\s+not\s+(?:available|able)\s+(?:right now\s+|at the moment\s+)?(?:to take|to answer|to come)|can(?:'|’)?(?:no)?t\s+(?:take|answer|come to)\s+(?:your\s+call|the\s+phone)|(?:the\s+)?(?:person|party|number|subscriber)\s+you\s+(?:are\s+calling|have\s+(?:called|dialed|dialled|reached))|mailbox\s+is\s+full|forwarded\s+to\s+(?:an?\s+)?(?:automat\w+\s+)?voice`;
const hebrew = String.raw`(?:השאר|השאיר|להשאיר|תשאיר|השאירו|נא להשאיר)\p{L}*\s+(?:לי\s+|לנו\s+)?הודעה|לאחר\s+(?:הישמע\s+)?(?:ה)?(?:צליל|ביפ|צפצוף)|אחרי\s+ה(?:צליל|ביפ|צפצוף)|תא\s+קולי|הגעת(?:ם)?\s+(?:לתא|למענה|לתיבה)|המנוי\s+(?:שחייגת|אליו|אינו|לא)|אינ(?:ני|נו)\s+(?:זמינ|יכול)\p{L}*\s+(?:כרגע|כעת)|משיבון|תיבה\s+קולית`;
const others = String.raw`deje\s+(?:su|un)\s+mensaje|despu[eé]s\s+del?\s+tono|buz[oó]n\s+de\s+voz|laissez\s+(?:un|votre)\s+message|apr[eè]s\s+le\s+(?:bip|signal)|messagerie\s+vocale|nachricht\s+nach\s+dem|mailbox\s+von|nach\s+dem\s+(?:signal)?ton|оставьте\s+(?:ваше\s+)?сообщение|после\s+(?:звукового\s+)?сигнала`;
const machine = new RegExp(`${english}|${hebrew}|${others}`, "iu");
