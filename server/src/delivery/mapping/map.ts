import { masked } from "@aftercall/contract/endpoint/headers.ts";
import type { MappingStep } from "@aftercall/contract/endpoint/mapping.ts";

import { change, get, isIndex, isObject, type Json, type JsonObject, put, take } from "./path.ts";

export type Mapped = {
  readonly body: Buffer;
  /** Paths at which there was nothing: `2.paths.0` is the first path of the third step. */
  readonly unmatched: readonly string[];
};

/**
 * The bytes that the steps make of the bytes of a body. The same steps make the same bytes of the same bytes.
 * @throws when the bytes are no JSON object, or are nested too deeply to be walked.
 */
export function mapBody(body: Buffer, steps: readonly MappingStep[]): Mapped {
  let value = JSON.parse(body.toString("utf8")) as Json;
  if (!isObject(value)) throw new Error("only a JSON object can be mapped");
  const unmatched: string[] = [];
  for (const [at, step] of steps.entries()) {
    value = stepped(value, step, (place) => unmatched.push(`${at}.${place}`));
  }
  return { body: Buffer.from(JSON.stringify(value)), unmatched };
}

/** `missed`: called with each place of the step that found nothing. */
function stepped(body: JsonObject, step: MappingStep, missed: (place: string) => void): JsonObject {
  switch (step.op) {
    case "pick": {
      for (const [at, path] of step.paths.entries()) if (!change(body, path, (value) => value)) missed(`paths.${at}`);
      const picked = pick(body, treeOf(step.paths));
      return picked !== undefined && isObject(picked) ? picked : {};
    }
    case "drop":
      for (const [at, path] of step.paths.entries()) if (!change(body, path, () => undefined)) missed(`paths.${at}`);
      return body;
    case "mask":
      for (const [at, path] of step.paths.entries()) {
        if (!change(body, path, (value) => mask(value, step.keep_last))) missed(`paths.${at}`);
      }
      return body;
    case "rename":
      for (const [from, to] of Object.entries(step.names)) if (!rename(body, from, to)) missed(`names.${from}`);
      return body;
    case "constant":
      for (const [path, value] of Object.entries(step.values)) {
        if (!put(body, path, structuredClone(value))) missed(`values.${path}`);
      }
      return body;
  }
}

/** Every text and number at or below is unreadable; null says nothing, and stays. */
function mask(value: Json, keepLast: number): Json {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((one) => mask(one, keepLast));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mask(one, keepLast)]));
  const characters = typeof value === "boolean" ? [] : Array.from(String(value));
  // At least as many are masked as stay: the last four of a short text would be most of it.
  const stays = keepLast > 0 && characters.length >= 2 * keepLast ? characters.slice(-keepLast).join("") : "";
  return masked + stays;
}

/** What stands at one place goes to another; where it cannot go, it stays. */
function rename(body: JsonObject, from: string, to: string): boolean {
  const value = get(body, from);
  if (value === undefined) return false;
  const putBack = take(body, from);
  const isPut = put(body, to, value);
  if (!isPut) putBack();
  return isPut;
}

/** Paths as a tree of their names; null: all that is below. */
type Tree = Map<string, Tree | null>;

function treeOf(paths: readonly string[]): Tree {
  const root: Tree = new Map();
  for (const path of paths) {
    let node: Tree | null = root;
    const names = path.split(".");
    const last = names.pop() ?? "";
    for (const name of names) {
      const below: Tree | null = node.has(name) ? (node.get(name) ?? null) : new Map();
      node.set(name, below);
      node = below;
      if (node === null) break;
    }
    node?.set(last, null);
  }
  return root;
}

/** What of a value is in the tree, in the value's own order; undefined: nothing. */
function pick(value: Json, tree: Tree | null): Json | undefined {
  if (tree === null) return value;
  if (Array.isArray(value)) {
    const named = new Map([...tree].filter(([name]) => !isIndex(name)));
    const elements = value.flatMap((one, at) => {
      const below = tree.get(String(at)) ?? (tree.has(String(at)) ? null : named);
      const picked = below?.size === 0 ? undefined : pick(one, below);
      return picked === undefined ? [] : [picked];
    });
    return elements.length > 0 || value.length === 0 ? elements : undefined;
  }
  if (!isObject(value)) return undefined;
  const fields = Object.entries(value).flatMap(([name, one]) => {
    const below = tree.get(name);
    const picked = below === undefined ? undefined : pick(one, below);
    return picked === undefined ? [] : [[name, picked] as const];
  });
  return fields.length > 0 ? Object.fromEntries(fields) : undefined;
}
