import type { EngineRef } from "@aftercall/contract/analysis/engine.ts";

/** How results of our own code are signed, which needs no model, key or network. The version is that of its rules. */
export const builtin: EngineRef = { kind: "builtin", provider: null, model: null, version: "1", prompt_sha256: null };
