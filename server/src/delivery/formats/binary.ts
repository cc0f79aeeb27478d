import type { Content } from "./format.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * A CloudEvent in binary mode: its data is the body, and its attributes are headers (CloudEvents HTTP protocol binding 1.0.2 §3.1). What is no attribute (a name or a value that
 * none may have) is left out, as a header cannot carry it.
 * @throws when the bytes are no CloudEvent.
 */
export function binaryOf(structured: Buffer): Content {
  const { data, datacontenttype: contentType, ...attributes } = JSON.parse(structured.toString("utf8")) as Json;
  for (const name of ["specversion", "id", "source", "type"]) {
    if (typeof attributes[name] !== "string") throw new Error(`a CloudEvent needs the attribute ${name}`);
  }
  const headers = Object.entries(attributes).flatMap(([name, value]) =>
    attributeName.test(name) && isAttribute(value) ? [[`ce-${name}`, headerValue(String(value))] as const] : [],
  );
  return {
    body: Buffer.from(data === undefined ? "" : JSON.stringify(data)),
    contentType:
      typeof contentType === "string" && /^[\x20-\x7e]+$/.test(contentType) ? contentType : "application/json",
    headers: Object.fromEntries(headers),
  };
}

const attributeName = /^[a-z0-9]{1,40}$/;

function isAttribute(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value) && value !== "";
}

/** Space, quotation mark, percent sign and what is not ASCII are escaped (§3.1.3.2). */
function headerValue(text: string): string {
  return text.toWellFormed().replaceAll(/[^\x21-\x7e]|["%]/gu, (character) => encodeURIComponent(character));
}
