import { expect, test } from "vitest";

import { parseCidrs } from "./addresses.ts";
import { checkTargetUrl, type TargetRules } from "./target.ts";

const open: TargetRules = { privateTargets: [], allowHttp: true };
const strict: TargetRules = { privateTargets: [], allowHttp: false };
const withLoopback: TargetRules = { privateTargets: parseCidrs(["127.0.0.0/8"]), allowHttp: true };

const ruleOf = (url: string, rules = open) => {
  const verdict = checkTargetUrl(url, rules);
  return verdict.ok ? "ok" : verdict.rule;
};

test.each([
  ["loopback", "http://127.0.0.1:5432/", "address"],
  ["localhost", "http://localhost:9200/", "name"],
  ["localhost with a dot", "http://localhost.:9200/", "name"],
  ["sub domain of localhost", "http://a.localhost/", "name"],
  ["decimal", "http://2130706433/", "address"],
  ["hex", "http://0x7f000001/", "address"],
  ["octal", "http://0177.0.0.1/", "address"],
  ["short form", "http://127.1/", "address"],
  ["zero", "http://0/", "address"],
  ["ideographic dots", "http://127。0。0。1/", "address"],
  ["full-width digits", "http://１２７.0.0.1/", "address"],
  ["percent-encoded", "http://%31%32%37.0.0.1/", "address"],
  ["a dot at the end", "http://127.0.0.1./", "address"],
  ["IPv6 loopback", "http://[::1]/", "address"],
  ["IPv4-mapped IPv6", "http://[::ffff:127.0.0.1]/", "address"],
  ["IPv4-compatible IPv6", "http://[::7f00:1]/", "address"],
  ["NAT64", "http://[64:ff9b::a9fe:a9fe]/", "address"],
  ["6to4", "http://[2002:7f00:1::]/", "address"],
  ["Teredo", "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "address"],
  ["unique local", "http://[fd00::1]/", "address"],
  ["site-local", "http://[fec0::1]/", "address"],
  ["link-local", "http://[fe80::1]/", "address"],
  ["AWS and GCP metadata", "http://169.254.169.254/latest/meta-data/", "address"],
  ["Azure wire server", "http://168.63.129.16/", "address"],
  ["Alibaba metadata", "http://100.100.100.200/", "address"],
  ["metadata by name", "http://metadata.google.internal/", "name"],
  [".internal", "http://db.internal/", "name"],
  [".local", "http://printer.local/", "name"],
  ["single label", "http://postgres:5432/", "name"],
  [".arpa", "http://1.0.0.127.in-addr.arpa/", "name"],
  ["RFC 1918", "http://10.0.0.5/", "address"],
  ["file", "file:///etc/passwd", "scheme"],
  ["gopher", "gopher://127.0.0.1:6379/_FLUSHALL", "scheme"],
  ["data", "data:text/plain,hi", "scheme"],
  ["javascript", "javascript:alert(1)", "scheme"],
  ["websocket", "wss://example.com/", "scheme"],
  ["backslash", "http://127.0.0.1\\@example.com/", "characters"],
  ["encoded line break", "http://example.com/%0d%0aHost:%20x", "characters"],
  ["line break", "http://example.com/\r\nHost: x", "characters"],
  ["tab inside the scheme", "ht\ttp://example.com/", "characters"],
  ["leading space", " http://example.com/", "characters"],
  ["9 kB", `https://example.com/${"a".repeat(9000)}`, "length"],
  ["credentials", "https://user:pass@example.com/", "credentials"],
  ["user only", "https://example.com@example.org/", "credentials"],
  ["SSH port", "https://example.com:22/", "port"],
  ["SMTP port", "http://example.com:25/", "port"],
  ["port zero", "http://example.com:0/", "port"],
  ["not a URL", "example.com/hook", "form"],
  ["no host", "https:///", "form"],
  ["a port that is none", "https://example.com:99999/", "form"],
  ["empty", "", "form"],
])("a target is refused with the rule it breaks: %s", (_name, url, rule) => {
  expect(ruleOf(url)).toBe(rule);
});

test.each([
  "https://example.com/",
  "https://hooks.example.com:8443/a?b=c",
  "http://93.184.216.34/",
  "https://[2606:4700:4700::1111]/",
  "https://bücher.example/hook",
  "https://example.com:80/",
])("a public target is accepted: %s", (url) => {
  expect(ruleOf(url)).toBe("ok");
});

test("plain http needs the operator's word", () => {
  expect(ruleOf("http://example.com/", strict)).toBe("scheme");
  expect(ruleOf("https://example.com/", strict)).toBe("ok");
});

test("an opened block admits its addresses and leaves names to the connection", () => {
  expect(ruleOf("http://127.0.0.1:4400/echo", withLoopback)).toBe("ok");
  expect(ruleOf("http://localhost:4400/echo", withLoopback)).toBe("ok");
  expect(ruleOf("http://n8n:5678/webhook", withLoopback)).toBe("ok");
  expect(ruleOf("http://10.0.0.5/", withLoopback)).toBe("address");
  expect(ruleOf("http://169.254.169.254/", withLoopback)).toBe("address");
});

test("the text of a refusal says what to do and never repeats the URL", () => {
  const verdict = checkTargetUrl("https://user:hunter2@example.com/", open);
  expect(verdict).toEqual({
    ok: false,
    rule: "credentials",
    detail: "A user name or password in the URL is not accepted",
  });
});
