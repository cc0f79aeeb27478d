import { isIP } from "node:net";

import { isAllowedAddress, type Cidr } from "./addresses.ts";

export type TargetRules = {
  /** Blocks that the operator opened; with any of them internal names are judged by their addresses alone. */
  readonly privateTargets: readonly Cidr[];
  /** Whether plain http is accepted beside https. */
  readonly allowHttp: boolean;
};

export type TargetVerdict =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly rule: TargetRule; readonly detail: string };

export type TargetRule = "length" | "characters" | "form" | "scheme" | "credentials" | "port" | "name" | "address";

/**
 * Judges a URL somebody typed, by what the WHATWG parser makes of it, never by its text: that folds decimal, hex, short and
 * Unicode forms of addresses. Names are not resolved here, so the answer tells nothing about a network; every connection is
 * judged again by its addresses.
 */
export function checkTargetUrl(text: string, rules: TargetRules): TargetVerdict {
  if (text.length > urlLengthMax) return refuse("length", `A URL has at most ${urlLengthMax} characters`);
  if (badCharacters.test(text)) {
    return refuse(
      "characters",
      "White space, control characters, backslashes and encoded line breaks are not accepted",
    );
  }
  const url = URL.parse(text);
  if (url === null) return refuse("form", "Not a URL. Write it in full: https://example.com/path");
  if (url.protocol !== "https:" && !(rules.allowHttp && url.protocol === "http:")) {
    return refuse("scheme", rules.allowHttp ? "The scheme must be https or http" : "The scheme must be https");
  }
  if (url.username !== "" || url.password !== "") {
    return refuse("credentials", "A user name or password in the URL is not accepted");
  }
  if (!isAllowedPort(url.port)) return refuse("port", "The port must be 80, 443 or 1024 and above");
  return checkHost(url, rules);
}

export const urlLengthMax = 2048;

const badCharacters = /[\s\p{Cc}\\]|%0[ad]/iu;

function isAllowedPort(port: string): boolean {
  return port === "" || port === "80" || port === "443" || Number(port) >= 1024;
}

function checkHost(url: URL, rules: TargetRules): TargetVerdict {
  const host = bareHost(url.hostname);
  if (isIP(host) > 0) {
    return isAllowedAddress(host, rules.privateTargets)
      ? { ok: true, url }
      : refuse("address", "The address is not a public one");
  }
  if (rules.privateTargets.length === 0 && isInternalName(host)) {
    return refuse("name", "Names of internal networks are not accepted");
  }
  return { ok: true, url };
}

/** Without the brackets of an IPv6 address and the dot that ends a full name. */
export function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

function isInternalName(host: string): boolean {
  return !host.includes(".") || internalSuffixes.some((suffix) => host.endsWith(suffix));
}

const internalSuffixes = [
  ".localhost",
  ".local",
  ".localdomain",
  ".internal",
  ".intranet",
  ".lan",
  ".home",
  ".corp",
  ".private",
  ".arpa",
];

function refuse(rule: TargetRule, detail: string): TargetVerdict {
  return { ok: false, rule, detail };
}
