import type { Parsed } from "./parser.ts";

/** E-mail addresses, written or spoken ("dana dot levi at example dot com"). */
export function parseEmails(text: string): Parsed[] {
  return [...(text.includes("@") ? written(text) : []), ...(/ at /i.test(text) ? spoken(text) : [])];
}

const address = /[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9][a-z0-9-]{0,62}\.){1,6}[a-z]{2,24}/gi;

function written(text: string): Parsed[] {
  return [...text.matchAll(address)].map(({ 0: found, index }) => ({
    value: lowerDomain(found),
    start: index,
    end: index + found.length,
  }));
}

const name = String.raw`[a-z0-9]{1,40}(?:(?: dot | underscore | dash | hyphen |[._-])[a-z0-9]{1,40}){0,4}`;
const domain = String.raw`[a-z0-9]{1,40}(?:(?: dash | hyphen |-)[a-z0-9]{1,40}){0,3}(?: dot [a-z]{2,24}){1,3}`;
const said = new RegExp(String.raw`\b(${name}) at (${domain})\b`, "gi");
const signs: Readonly<Record<string, string>> = { dot: ".", underscore: "_", dash: "-", hyphen: "-" };

function spoken(text: string): Parsed[] {
  return [...text.matchAll(said)].map(({ 0: found, 1: local = "", 2: host = "", index }) => ({
    value: `${asSigns(local)}@${asSigns(host)}`.toLowerCase(),
    start: index,
    end: index + found.length,
    certainty: 0.7,
  }));
}

function asSigns(part: string): string {
  return part.replace(/ (dot|underscore|dash|hyphen) /gi, (_, sign: string) => signs[sign.toLowerCase()] ?? "");
}

function lowerDomain(found: string): string {
  const at = found.lastIndexOf("@");
  return found.slice(0, at) + found.slice(at).toLowerCase();
}
