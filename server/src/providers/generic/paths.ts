import type { JsonObject } from "../json.ts";
import { objectOf } from "../read.ts";

/** Something found in a body, and the path that led to it: its last name may tell the unit. */
export type Found = { readonly value: unknown; readonly path: string };

/**
 * The first of the paths that leads to something other than null and blank text. A JSON pointer (`/call/id`, RFC 6901) starts at
 * the body, a dotted path (`call.id`, `items.0.id`) at each root in turn. Only the sender's own fields are seen, never those
 * that every object has.
 */
export function find(body: JsonObject, roots: readonly string[], paths: readonly string[]): Found | null {
  for (const path of paths) {
    const starts = path.startsWith("/") ? [body] : roots.map((root) => (root === "" ? body : at(body, root)));
    for (const start of starts) {
      const value = at(start, path);
      if (value !== undefined && value !== null && !isBlank(value)) return { value, path };
    }
  }
  return null;
}

/** A form may have a field that is literally called `call.id`. */
function at(start: unknown, path: string): unknown {
  const object = objectOf(start);
  if (object && Object.hasOwn(object, path)) return object[path];
  return segmentsOf(path).reduce(step, start);
}

function segmentsOf(path: string): string[] {
  if (!path.startsWith("/")) return path.split(".");
  return path
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function step(from: unknown, name: string): unknown {
  if (Array.isArray(from)) return /^\d{1,6}$/.test(name) ? (from[Number(name)] as unknown) : undefined;
  const object = objectOf(from);
  return object && Object.hasOwn(object, name) ? object[name] : undefined;
}

function isBlank(value: unknown): boolean {
  return typeof value === "string" && value.trim() === "";
}
