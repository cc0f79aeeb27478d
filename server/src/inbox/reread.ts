import { providerNamed } from "#/providers/index.ts";
import type { Sources } from "#/sources/active.ts";

import type { Reread } from "./match-calls.ts";
import { cameBy, readAs } from "./read-as.ts";

/** Reads stored events again with today's parser and their source's settings of today. */
export function createReread(sources: Sources): Reread {
  return async (stored) => {
    const source = await sources.byId(stored.tenant_id, stored.source_id);
    const provider = providerNamed(stored.provider);
    if (!source || !provider) return null;
    const request = {
      method: "POST",
      url: stored.url,
      headers: new Map(Object.entries(stored.headers)),
      body: stored.body,
    };
    try {
      const input = { request, setup: source.setup, receivedAtMs: stored.received_at.getTime() };
      const event = readAs(provider, cameBy(stored.verification), input)[stored.part];
      return event ? { event, userId: source.userId } : null;
    } catch {
      return null;
    }
  };
}
