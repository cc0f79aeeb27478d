import type { RecordingInfo, TurnRole } from "@aftercall/contract/call.ts";

import type { Alias, Secret } from "./provider.ts";
import { objectAt } from "./read.ts";

/** What a provider's adapter knows when it says where a recording is. */
export type RecordingInput<Setup> = {
  /** What was said about the recording; null: nothing was. */
  readonly info: RecordingInfo | null;
  /** The body of the event that said it, which may name more forms of it than are kept; null where it is gone. */
  readonly body: Buffer | null;
  /** Names of the call. */
  readonly aliases: readonly Alias[];
  readonly secrets: readonly Secret[];
  readonly setup: Setup;
};

/** One way to the recording. Ways are tried in their order; the first that gives sound counts. */
export type RecordingAsk =
  | {
      readonly kind: "file";
      readonly url: string;
      /** Sent along to the host of this URL alone, never to where a redirect leads. */
      readonly credentials: Readonly<Record<string, string>>;
      /** The request is signed for an object store (AWS Signature Version 4). */
      readonly store: StoreAccess | null;
      /** When the URL stops working, epoch milliseconds. */
      readonly expiresAt: number | null;
      readonly channelMap: readonly TurnRole[];
    }
  | { readonly kind: "bytes"; readonly bytes: Buffer; readonly channelMap: readonly TurnRole[] }
  | { readonly kind: "stored"; readonly stored: StoredAudio; readonly channelMap: readonly TurnRole[] }
  | {
      /** The provider is asked in JSON where the recording is. */
      readonly kind: "lookup";
      readonly url: string;
      readonly credentials: Readonly<Record<string, string>>;
      /** The ways that the answer tells of; none: there is no recording yet. */
      readonly read: (answer: unknown) => readonly RecordingAsk[];
    };

/** A recording that came in a body too large to be kept, and was put into our own store in its place. */
export type StoredAudio = {
  readonly blob_key: string;
  /** The key of its bytes, sealed to the tenant; base64. */
  readonly sealed_key: string;
  readonly sha256: string;
  readonly bytes: number;
};

/** Reads what stands in an event in place of its audio; null for anything else. */
export function storedAudioIn(value: unknown): StoredAudio | null {
  const { blob_key, sealed_key, sha256, bytes } = objectAt(value);
  if (typeof blob_key !== "string" || typeof sealed_key !== "string") return null;
  return typeof sha256 === "string" && typeof bytes === "number" ? { blob_key, sealed_key, sha256, bytes } : null;
}

export type FileAsk = Extract<RecordingAsk, { kind: "file" }>;

export type StoreAccess = { readonly region: string; readonly accessKeyId: string; readonly secretAccessKey: string };

/** A file that needs nothing but its URL. */
export function fileAt(url: string, given: Partial<Omit<FileAsk, "kind" | "url">> = {}): FileAsk {
  return { kind: "file", url, credentials: {}, store: null, expiresAt: expiryIn(url), channelMap: [], ...given };
}

/** When a signed URL stops working, by its own query: AWS, Google and CloudFront write it down. */
export function expiryIn(text: string): number | null {
  const query = URL.parse(text)?.searchParams;
  if (!query) return null;
  const at = Number(query.get("Expires") ?? Number.NaN);
  if (Number.isFinite(at)) return at * 1000;
  for (const vendor of ["Amz", "Goog"]) {
    const [date, seconds] = [query.get(`X-${vendor}-Date`), Number(query.get(`X-${vendor}-Expires`) ?? Number.NaN)];
    const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date ?? "");
    if (!match || !Number.isFinite(seconds)) continue;
    const [year = 0, month = 1, ...rest] = match.slice(1).map(Number);
    return Date.UTC(year, month - 1, ...rest) + seconds * 1000;
  }
  return null;
}

/** The secret of a slot. */
export function secretOf(secrets: readonly Secret[], slot: string): Secret | null {
  return secrets.find((secret) => secret.slot === slot) ?? null;
}

/** The call's name of this kind. */
export function nameOf(aliases: readonly Alias[], kind: Alias["kind"]): string | null {
  return aliases.find((alias) => alias.kind === kind)?.value ?? null;
}
