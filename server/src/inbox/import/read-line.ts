import { readJsonObject } from "#/providers/json.ts";
import { objectOf, textOf, timeOf } from "#/providers/read.ts";

/** What a line is: a body as its source's provider sends it, an event of an export with its bytes, or something made of those. */
export type LineKind =
  | { readonly kind: "body" }
  | { readonly kind: "made_of_events" }
  | {
      readonly kind: "event";
      readonly provider: string;
      readonly body: Buffer;
      readonly contentType: string;
      readonly url: string;
      readonly receivedAt: number | null;
      readonly isPulled: boolean;
    };

/** @throws MalformedBody when it is no JSON object. */
export function kindOfLine(bytes: Buffer): LineKind {
  const line = readJsonObject(bytes);
  const data = objectOf(line["data"]);
  const kind = textOf(line["kind"]);
  if (kind === null || data === null || textOf(line["cursor"]) === null) return { kind: "body" };
  if (kind !== "event") return { kind: "made_of_events" };
  const [provider, body] = [textOf(data["provider"]), textOf(data["body"])];
  // Of an erased event only that it was there is left.
  if (provider === null || body === null) return { kind: "made_of_events" };
  return {
    kind: "event",
    provider,
    body: Buffer.from(body, "base64"),
    contentType: textOf(data["content_type"]) ?? "application/json",
    url: textOf(data["url"]) ?? "",
    receivedAt: timeOf(data["received_at"]),
    isPulled: (textOf(data["verification"]) ?? "").split(" ").includes("pulled"),
  };
}
