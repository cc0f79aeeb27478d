import type { EngineView } from "@aftercall/contract/engine-settings.ts";

import type { SecretBox } from "#/kernel/secrets.ts";

import type { DefaultEngines } from "./defaults.ts";
import type { Budget } from "./engines.ts";
import { providerAt } from "./hosts.ts";
import { openKey } from "./row.ts";
import type { EngineKind, EngineRow } from "./store.ts";

/** A tenant's engine as the API shows it: its key by the last characters, the operator's without its address. */
export function viewOf(
  kind: EngineKind,
  row: EngineRow | null,
  { box, defaults, budget }: { box: SecretBox; defaults: DefaultEngines; budget: Budget },
): EngineView {
  const money = { budget: budget.limit, spent: budget.spent };
  if (row) {
    const { settings = {}, price = null } = row.settings;
    const key = openKey(box, row);
    return {
      kind,
      origin: "tenant",
      vendor: row.vendor,
      provider: providerAt(row.base_url),
      base_url: row.base_url,
      model: row.model,
      api_key: key === null ? null : { hint: key.length >= 16 ? key.slice(-4) : "" },
      settings: recordOf(settings),
      price: price === null ? null : recordOf(price),
      ...money,
      updated_at: row.updated_at.toISOString(),
    };
  }
  const engine = defaults[kind];
  return {
    kind,
    origin: engine ? "installation" : "none",
    vendor: engine?.vendor ?? null,
    provider: engine?.provider ?? null,
    base_url: null,
    model: engine?.model ?? null,
    api_key: null,
    settings: null,
    price: null,
    ...money,
    updated_at: null,
  };
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
