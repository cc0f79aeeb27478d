import { idPrefixes, type IdKind } from "@aftercall/contract/id.ts";

/** What things that are there are called, by the noun of their routes: `calls`, `webhooks`. */
export type KnownNames = {
  /** Takes the names out of an answer of a path. */
  learn(path: string, answer: unknown): void;
  /** One of a noun, a younger one for a lower number; one that names nothing, where there is none. */
  pick(noun: string, number: number): string;
};

/** Learns from answers, so that not every path leads nowhere. What is `hidden` is never named: what the one who asks lives on. */
export function createKnownNames(hidden: ReadonlySet<string>): KnownNames {
  const names = new Map<string, string[]>();
  const add = (noun: string, name: unknown) => {
    const known = names.get(noun) ?? [];
    if (typeof name !== "string" || hidden.has(name) || known.includes(name)) return;
    names.set(noun, [name, ...known].slice(0, keptMax));
  };
  return {
    learn(path, answer) {
      for (const thing of thingsIn(answer)) {
        const noun = nouns.get(/^([a-z]+)_[0-9a-z]{26}$/.exec(String(thing["id"]))?.[1] ?? "");
        if (noun) add(noun, thing["id"]);
        if ("slug" in thing && "provider" in thing) add("webhooks", thing["slug"]);
        if (path === "/v1/users" || path === "/v1/members") add("users", thing["external_id"]);
        if (path === "/v1/event-types") add("event-types", thing["name"]);
      }
    },
    pick(noun, number) {
      const known = names.get(noun) ?? [];
      return known[number % known.length] ?? "unknown";
    },
  };
}

const keptMax = 20;

/** By the prefix of an id, the noun of the routes that it stands in. */
const nouns: ReadonlyMap<string, string> = new Map(
  (Object.entries(idPrefixes) as [IdKind, string][]).map(([kind, prefix]) => [prefix, nounOf(kind)]),
);

function nounOf(kind: IdKind): string {
  if (kind === "source_secret") return "secrets";
  if (kind === "quarantined") return "quarantine";
  if (kind === "delivery") return "deliveries";
  return kind === "user" ? "members" : `${kind.replaceAll("_", "-")}s`;
}

/** An answer itself, what is in it, and what is in its list. */
function thingsIn(answer: unknown): Record<string, unknown>[] {
  const parts = isObject(answer) ? [answer, ...Object.values(answer).flat()] : [];
  return parts.filter(isObject);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
