import type { Parsed } from "./parser.ts";

/**
 * Numbers of orders, bookings, tickets, invoices and the like: letters and digits after a word that announces them, in
 * English or Hebrew (`order number AB-1234`, `מספר הזמנה 445566`). Upper case.
 */
export function parseOrderIds(text: string): Parsed[] {
  if (!/\d/.test(text)) return [];
  return [...text.matchAll(announced)].flatMap(({ 0: found, index, groups }) => {
    const id = groups?.["id"] ?? "";
    if ((id.match(/\d/g)?.length ?? 0) < 2) return [];
    const end = index + found.length;
    return [{ value: id.toUpperCase(), start: end - id.length, end }];
  });
}

const english = String.raw`(?:order|booking|reservation|confirmation|reference|ref|ticket|case|invoice|tracking|claim|policy|account)`;
const hebrew = String.raw`[והבכלמש]{0,2}(?:הזמנה|הזמנתי|אסמכתא|פנייה|פניה|קריאה|חשבונית|תיק|פוליסה|משלוח|תביעה|אישור)`;
const between = String.raw`(?:\s+(?:number|no\.?|num|id|code|is|was|it's|the|my|for|של|היא|הוא|מספר|מס['׳]?|שלי|שמספרה)|\s*[:#№,]){0,4}\s*`;
const announced = new RegExp(
  String.raw`(?<![\p{L}\p{N}])(?:${english}|${hebrew})${between}(?<id>[A-Za-z0-9](?:[A-Za-z0-9]|[-/](?=[A-Za-z0-9])){3,29})(?![\p{L}\p{N}])`,
  "giu",
);
