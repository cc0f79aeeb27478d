import type { Found } from "../span.ts";

/** E-mail addresses as they are written, and as they are spelled out: "dana dot levi at gmail dot com", "דנה שטרודל …". */
export function findEmails(text: string): Found[] {
  return [...written(text), ...spelled(text)];
}

function written(text: string): Found[] {
  return [...text.matchAll(/[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    type: "email",
    value: match[0].toLowerCase(),
  }));
}

const dot = String.raw`\s+(?:dot|נקודה)\s+`;
const at = String.raw`\s+(?:at|שטרודל|כרוכית)\s+`;
const word = String.raw`[\p{L}\p{N}_-]{1,40}`;
const spelledForm = new RegExp(`${word}(?:${dot}${word}){0,4}${at}${word}(?:${dot}${word}){1,4}`, "giu");
const dots = new RegExp(dot, "giu");
const ats = new RegExp(at, "giu");

function spelled(text: string): Found[] {
  return [...text.matchAll(spelledForm)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    type: "email",
    value: match[0].replace(ats, "@").replace(dots, ".").toLowerCase(),
  }));
}
