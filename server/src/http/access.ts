import type { Actor, Route } from "@aftercall/contract/api.ts";
import { Role } from "@aftercall/contract/tenant.ts";

import { Forbidden } from "#/kernel/errors.ts";

/** Whether a credential may use a route at all: its role, the scopes of a key, and what embed tokens are for. @throws Forbidden */
export function requireAccess(actor: Actor, route: Pick<Route, "method" | "path" | "role" | "isEmbeddable">): void {
  if (actor.kind === "embed" && route.isEmbeddable !== true) {
    throw new Forbidden("An embed token reads the calls and campaigns of its end-customer, and nothing else");
  }
  const order = Role.options;
  if (order.indexOf(actor.role) < order.indexOf(route.role)) {
    throw new Forbidden(`This needs the role ${route.role}; the credential has the role ${actor.role}`);
  }
  requireScope(actor, resourceOf(route.path), route.method === "GET" ? "read" : "write");
}

/** @throws Forbidden for a key whose scopes leave it out */
export function requireScope(actor: Actor, resource: string, action: "read" | "write"): void {
  // What a key is can always be asked: nothing else tells why it is refused.
  if (hasScope(actor, resource, action) || resource === "whoami") return;
  throw new Forbidden(`This needs the scope ${resource}:${action}; the key has ${actor.scopes?.join(", ")}`);
}

/** Whether the scopes of a key take it in; who has none has all. */
export function hasScope({ scopes }: Actor, resource: string, action: "read" | "write"): boolean {
  return !scopes || scopes.includes(`${resource}:${action}`) || scopes.includes(`*:${action}`);
}

/** `/v1/calls/:id` → `calls`. */
function resourceOf(path: string): string {
  return path.split("/")[2] ?? "";
}
