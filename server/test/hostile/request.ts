import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";

import type { Body, Text, Variables } from "./cases.ts";

/** Fills in what differs from run to run: variables, and names that are new for each request. */
export type Filler = {
  /** A name for one request. */
  next(): string;
  fill(text: string, name: string): string;
  text(value: Text, name: string): string;
  body(body: Body | null | undefined, name: string): Buffer | undefined;
};

export function createFiller(variables: Variables): Filler {
  const run = randomBytes(4).toString("hex");
  // Longest first, so that $CALL is not found in $CALL_A.
  const names = Object.keys(variables).toSorted((a, b) => b.length - a.length);
  let count = 0;
  return { next: () => `u${run}${count++}`, fill, text, body };

  function fill(text: string, name: string): string {
    let filled = text
      .replaceAll("{{uniq}}", name)
      .replaceAll("{{run}}", run)
      .replaceAll(/\{\{pad:(\d+)\}\}/g, (_all, size: string) => "p".repeat(Number(size)));
    for (const variable of names) filled = filled.replaceAll(`$${variable}`, () => variables[variable] ?? "");
    return filled;
  }

  function text(value: Text, name: string): string {
    if (typeof value === "string") return fill(value, name);
    return fill(value.pre ?? "", name) + value.s.repeat(value.n) + fill(value.post ?? "", name);
  }

  function expand(value: unknown, name: string): unknown {
    if (Array.isArray(value)) return value.map((item) => expand(item, name));
    if (typeof value !== "object" || value === null) return value;
    if ("gen" in value) return text(value as Exclude<Text, string>, name);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expand(inner, name)]));
  }

  function body(given: Body | null | undefined, name: string): Buffer | undefined {
    if (!given) return undefined;
    if ("json" in given) return Buffer.from(fill(JSON.stringify(expand(given.json, name)), name));
    if ("text" in given) return Buffer.from(fill(given.text, name));
    if ("b64" in given) return Buffer.from(given.b64, "base64");
    if ("form" in given) {
      const fields = Object.entries(given.form).map(([key, value]) => [key, fill(value, name)]);
      return Buffer.from(new URLSearchParams(fields).toString());
    }
    switch (given.gen) {
      case "repeat":
        return Buffer.from(text(given, name));
      case "nest":
        return Buffer.from(fill(given.pre, name) + "[".repeat(given.n) + "]".repeat(given.n) + fill(given.post, name));
      case "keys": {
        const members = Array.from({ length: given.n }, (_, i) => `"k${i}":${i}`);
        return Buffer.from(fill(given.pre, name) + members.join(",") + given.post);
      }
      case "gzip-fill":
        return gzipSync(Buffer.alloc(given.mb * 1024 * 1024, " "));
      case "random-id": {
        const id = randomBytes(given.n).toString("base64").slice(0, given.n);
        return Buffer.from(given.pre + id + fill(given.post, name));
      }
    }
  }
}
