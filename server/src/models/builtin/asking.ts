/** Whether a sentence says what somebody wants: a place or a service in it is meant, not only mentioned. */
export function asksForSomething(sentence: string): boolean {
  return asking.test(sentence);
}

const english = String.raw`\b(?:need|want|wants|would like|'d like|looking for|look for|interested in|searching for|require|calling about|help with|book|order)\b`;
const hebrew =
  "מחפש|צריך|צריכ|רוצה|רוצים|מעוניי|מעונינ|מעונין|אשמח|זקוק|מבקש|דרוש|להזמין|אפשר לקבל|הצעת מחיר|מתעניי|מתקשרת? (?:לגבי|בקשר)";
const others = String.raw`\b(?:necesito|quiero|quisiera|busco|je cherche|je voudrais|j'ai besoin|ich (?:brauche|suche|möchte)|vorrei|cerco|preciso|procuro)\b|(?:мне )?нуж(?:ен|на|но|ны)|хочу|хотел|ищу`;
const asking = new RegExp(`${english}|${hebrew}|${others}`, "iu");

/** Whether a sentence says what somebody is going to do. */
export function promisesSomething(sentence: string): boolean {
  return promise.test(sentence);
}

const promise =
  /\b(?:i'll|i will|we'll|we will|i am going to|i'm going to|we're going to|we are going to|(?:he|she|they|someone|somebody|technician|agent|colleague|you)(?:'ll| will) (?:call|send|email|get|contact|come|arrive|receive|be)|i have (?:booked|scheduled)|i've (?:booked|scheduled)|booked you|scheduled)\b|אשלח|נשלח|אעביר|נעביר|אחזור|נחזור|אתקשר|נתקשר|אבדוק|נבדוק|יחזור אלי|יחזרו אלי|יצור (?:אית|קשר)|ייצור|קבעתי|קבענו|אקבע|נקבע|אדאג|נדאג|אטפל|נטפל|יגיע|נגיע|תקבל|ich werde|wir werden|je vais|nous allons|le enviar|les enviar|voy a|vamos a/iu;
