import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import { providers } from "#/providers/index.ts";
import type { Provider, ProviderRequest, RefusalCode, Secret } from "#/providers/provider.ts";

/** Where the folders of providers are. */
export const providersFolder = join(import.meta.dirname, "../../src/providers");

/** Everything under `providers/` that is a provider's folder, by its name. */
export function providerFolders(): string[] {
  return readdirSync(providersFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "signatures")
    .map((entry) => entry.name)
    .toSorted();
}

/** The provider of a folder. Throws when the list does not have it: that is the line somebody forgot. */
export function providerOf(folder: string): Provider {
  const provider = providers.find(({ name }) => name === folder);
  if (!provider) throw new Error(`providers/${folder} is not in providers/index.ts`);
  return provider;
}

/**
 * One signed request of `vectors.json`: { "vectors": [ … ] }. `secrets` are what the source holds, `setup` its settings
 * (left out: the defaults), `sdk` what the provider's own library decided on the same bytes.
 */
export type Vector = {
  readonly id: string;
  readonly scheme: string;
  readonly secrets: readonly Secret[];
  readonly setup?: Readonly<Record<string, unknown>>;
  readonly now_ms: number;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  readonly expect: { readonly valid: boolean; readonly code?: RefusalCode };
};

export function vectorsOf(folder: string): readonly Vector[] {
  const path = join(providersFolder, folder, "vectors.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as { vectors: Vector[] }).vectors : [];
}

export function requestOf(given: Vector["request"]): ProviderRequest {
  const headers = new Map(Object.entries(given.headers).map(([name, value]) => [name.toLowerCase(), [value]]));
  return { method: given.method, url: given.url, headers, body: Buffer.from(given.body ?? "") };
}

/** The files below a folder, by their path in it. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .toSorted();
}
