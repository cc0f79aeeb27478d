import {
  LanguageEngineSettings,
  LanguagePrice,
  LanguageVendor,
  SpeechEngineSettings,
  SpeechPrice,
  SpeechVendor,
} from "@aftercall/contract/engine-settings.ts";

import { SealedElsewhere, type SecretBox } from "#/kernel/secrets.ts";
import type { LanguageEngine } from "#/models/language/engine.ts";
import type { SpeechEngine } from "#/models/speech/engine.ts";

import { languageEngine, speechEngine } from "./engine.ts";
import type { EngineKind, EngineRow } from "./store.ts";

/** A tenant's engine as it is used. */
export function openEngine(
  box: SecretBox,
  row: EngineRow,
  privateTargets: readonly string[],
): LanguageEngine | SpeechEngine {
  const { base_url: baseUrl, model } = row;
  const own = { baseUrl, model, apiKey: openKey(box, row), origin: "tenant" as const, privateTargets };
  const { settings = {}, price = null } = row.settings;
  return row.kind === "language"
    ? languageEngine({
        ...own,
        vendor: LanguageVendor.parse(row.vendor),
        settings: LanguageEngineSettings.parse(settings),
        price: LanguagePrice.nullable().parse(price),
      })
    : speechEngine({
        ...own,
        vendor: SpeechVendor.parse(row.vendor),
        settings: SpeechEngineSettings.parse(settings),
        price: SpeechPrice.nullable().parse(price),
      });
}

/**
 * The key of an engine; null where there is none. One that was sealed under another AFTERCALL_SECRET is as good as none: the
 * engine will refuse us and say so at its steps, which is better than calls that nobody works on.
 */
export function openKey(box: SecretBox, { tenant_id: tenant, kind, sealed_api_key: sealed }: EngineRow): string | null {
  try {
    return sealed && box.open(sealed, placeOf(tenant, kind)).toString("utf8");
  } catch (error) {
    if (error instanceof SealedElsewhere) return null;
    throw error;
  }
}

export function sealKey(box: SecretBox, tenant: string, kind: EngineKind, key: string): Buffer {
  return box.seal(Buffer.from(key), placeOf(tenant, kind));
}

function placeOf(tenant: string, row: EngineKind) {
  return { tenant, table: "engines", row, column: "sealed_api_key" };
}
