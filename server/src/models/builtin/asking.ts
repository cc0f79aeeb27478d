/** Whether a sentence says what somebody wants: a place or a service in it is meant, not only mentioned. */
export function asksForSomething(sentence: string): boolean {
  return asking.test(sentence);
}

const english = String.raw`\b(?:need|want|wants|would like|'d like|looking for|look for|interested in|searching for|require|calling about|help with|book|order)\b`;
const hebrew =
  "מחפש|צריך|צריכ|רוצה|רוצים|מעוניי|מעונינ|מעונין|אשמח|זקוק|מבקש|דרוש|להזמין|אפשר לקבל|הצעת מחיר|מתעניי|מתקשרת? (?:לגבי|בקשר)";
const others = String.raw`\b(?:necesito|quiero|quisiera|busco|je cherche|je voudrais|j'ai besoin|ich (?:brauche|suche|möchte)|vorrei|cerco|preciso|procuro)\b|(?:мне )?нуж(?:ен|на|но|ны)|хочу|хотел|ищу`;
const asking = new RegExp(`${english}|${hebrew}|${others}`, "iu");
