import type { CallEvent, ParseInput, Provider } from "#/providers/provider.ts";

/** How the bytes of an event came, beside the verified webhook: it decides how they are read, now and whenever they are read again. */
export type CameBy = {
  /** As an answer of the provider's API. */
  readonly isPulled: boolean;
  /** As a note of our own about a call that this server carried. */
  readonly isBridged?: boolean;
  /** As a line of a file; what follows from it is not told to endpoints unless that was asked for. */
  readonly isImported: boolean;
  readonly isDelivered: boolean;
};

/** The words of the event log: `pulled`, `import`, `import delivered`, `import pulled`. */
export function verificationFor({ isPulled, isImported, isDelivered }: CameBy): string {
  const words = [isImported && "import", isPulled && "pulled", isImported && isDelivered && "delivered"];
  return words.filter(Boolean).join(" ");
}

/** The word of what our own bridge noted. */
export const bridged = "bridge";

export function cameBy(verification: string): CameBy {
  const words = new Set(verification.split(" "));
  return {
    isPulled: words.has("pulled"),
    isBridged: words.has(bridged),
    isImported: words.has("import"),
    isDelivered: !words.has("import") || words.has("delivered"),
  };
}

/** Reads the bytes of an event in the way in which they came. @throws MalformedBody */
export function readAs(provider: Provider, came: CameBy, input: ParseInput<unknown>): CallEvent[] {
  const events = read(provider, came, input);
  if (came.isDelivered) return events;
  return events.map(quieted);
}

function read(provider: Provider, came: CameBy, input: ParseInput<unknown>): CallEvent[] {
  if (came.isPulled) return provider.pull?.read(input) ?? [];
  if (came.isBridged) return provider.bridge?.read(input) ?? [];
  return provider.parse(input);
}

/** The same, and the call that it is about is not told to endpoints. */
export function quieted(event: CallEvent): CallEvent {
  return event.aliases.length > 0 ? { ...event, facts: { ...event.facts, is_quiet: true } } : event;
}
