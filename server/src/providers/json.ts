import { isUtf8 } from "node:buffer";

import { MalformedBody } from "./provider.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Nesting and keys beyond these are no webhook. */
const depthMax = 64;
const keysMax = 5_000;

/**
 * Reads a body that must be one JSON object, and refuses what two parsers could read differently: invalid UTF-8,
 * duplicate keys, `__proto__`, nesting over 64, more than 5,000 keys in one object (RFC 8259 §4 and §8.1 leave these to
 * the receiver). Numbers are JSON.parse's.
 * @throws MalformedBody
 */
export function readJsonObject(body: Buffer): JsonObject {
  const value = readJson(body);
  if (Array.isArray(value)) throw new MalformedBody("The body must be a JSON object");
  return value as JsonObject;
}

/** Like {@link readJsonObject}, for providers that also send arrays. @throws MalformedBody */
export function readJson(body: Buffer): JsonObject | readonly unknown[] {
  if (!isUtf8(body)) throw new MalformedBody("The body is not valid UTF-8");
  const keysWritten = countKeys(body);
  const value = parseText(body.toString("utf8"));
  if (typeof value !== "object" || value === null) throw new MalformedBody("The body must be a JSON object");
  // JSON.parse keeps one of two equal keys, however they are escaped: then fewer are left than were written.
  if (keysLeft(value) !== keysWritten) throw new MalformedBody("The body has duplicate keys");
  return value as JsonObject | readonly unknown[];
}

/** Counts the colons outside of strings, which in valid JSON are its keys, and bounds the nesting before anything recurses. */
function countKeys(body: Buffer): number {
  const length = body.length;
  let keys = 0;
  let depth = 0;
  for (let at = 0; at < length; at++) {
    switch (body[at]) {
      case 0x22: // "
        for (at++; at < length && body[at] !== 0x22; at++) if (body[at] === 0x5c) at++;
        break;
      case 0x3a: // :
        keys++;
        break;
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > depthMax) throw new MalformedBody("The body is nested too deeply");
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      default:
    }
  }
  return keys;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedBody("The body is not valid JSON");
  }
}

function keysLeft(value: object): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object" && item !== null) count += keysLeft(item);
    return count;
  }
  const keys = Object.keys(value);
  if (keys.length > keysMax) throw new MalformedBody("An object in the body has too many keys");
  for (const key of keys) {
    if (key === "__proto__") throw new MalformedBody("The body has a forbidden key");
    const item = (value as JsonObject)[key];
    if (typeof item === "object" && item !== null) count += keysLeft(item);
  }
  return count + keys.length;
}
