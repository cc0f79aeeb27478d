import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { MalformedBody } from "#/providers/provider.ts";
import type { CallEvent, ProviderRequest } from "#/providers/provider.ts";

import type { NormalForm } from "./normal-form.ts";
import { providerOf, providersFolder } from "./provider-files.ts";

/**
 * `expected.json`: for every file below fixtures/ the normal form of its event (a list for several), `{ "error": field }`
 * for a body that is refused, or a sentence that says why the file is no webhook. `"setup"` holds settings other than the
 * defaults, by file.
 */
type Expected = {
  readonly files: Readonly<Record<string, string | { readonly error: string } | NormalForm | readonly NormalForm[]>>;
  readonly setup?: Readonly<Record<string, unknown>>;
  /** Pairs of files that tell the same fact in other bytes. */
  readonly repeats?: readonly (readonly [string, string])[];
};

/** When fixtures are received. */
export const nowMs = Date.UTC(2026, 2, 2, 14, 30);

export function expectedOf(folder: string): Expected {
  const path = join(providersFolder, folder, "fixtures/expected.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Expected) : { files: {} };
}

export function isRefusal(form: unknown): form is { readonly error: string } {
  return typeof form === "object" && form !== null && Object.keys(form).join() === "error";
}

export function bodies({ files }: Expected): string[] {
  return Object.keys(files).filter((file) => typeof files[file] !== "string" && !isRefusal(files[file]));
}

export function readFixture(folder: string, file: string): Buffer {
  return readFileSync(join(providersFolder, folder, "fixtures", file));
}

export function parsed(folder: string, file: string, receivedAtMs = nowMs): CallEvent[] {
  return parse(folder, readFixture(folder, file), expectedOf(folder).setup?.[file], receivedAtMs);
}

export function parse(folder: string, body: Buffer, setup: unknown = {}, receivedAtMs = nowMs): CallEvent[] {
  const provider = providerOf(folder);
  return provider.parse({ request: received(body), setup: provider.setup.parse(setup), receivedAtMs });
}

function received(body: Buffer): ProviderRequest {
  const isJson = ["{", "["].includes(body.toString("latin1").trimStart().slice(0, 1));
  const type = isJson ? "application/json" : "application/x-www-form-urlencoded; charset=utf-8";
  return { method: "POST", url: "https://hooks.example.com/x", headers: new Map([["content-type", [type]]]), body };
}

export function refusalOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof MalformedBody)) throw error;
    return error.field ?? error.message;
  }
}
