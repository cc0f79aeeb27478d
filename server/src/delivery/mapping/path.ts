export type Json = string | number | boolean | null | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/**
 * Puts what `changed` makes of it, undefined for nothing at all, in the place of every value at a path. A name at a list stands
 * for that name in each of its elements. Gives whether there was any.
 */
export function change(root: JsonObject, path: string, changed: (value: Json) => Json | undefined): boolean {
  return changeIn(root, path.split("."), changed);
}

function changeIn(holder: Json, [name = "", ...rest]: string[], changed: (value: Json) => Json | undefined): boolean {
  if (Array.isArray(holder) && !isIndex(name)) {
    let isFound = false;
    for (const element of holder) isFound = changeIn(element, [name, ...rest], changed) || isFound;
    return isFound;
  }
  const value = valueOf(holder, name);
  if (value === undefined) return false;
  if (rest.length > 0) return changeIn(value, rest, changed);
  const next = changed(value);
  if (Array.isArray(holder)) holder.splice(Number(name), 1, ...(next === undefined ? [] : [next]));
  else if (isObject(holder) && next === undefined) delete holder[name];
  else if (isObject(holder) && next !== undefined) holder[name] = next;
  return true;
}

/** The one value at a path: lists are gone into by number only. */
export function get(root: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = root;
  for (const name of path.split(".")) value = value === undefined ? undefined : valueOf(value, name);
  return value;
}

/** Takes away what {@link get} finds. Gives what puts it back, while nothing else has changed. */
export function take(root: JsonObject, path: string): () => void {
  const names = path.split(".");
  const last = names.pop() ?? "";
  const holder = names.length === 0 ? root : get(root, names.join("."));
  const value = holder === undefined ? undefined : valueOf(holder, last);
  if (holder === undefined || value === undefined) return () => {};
  if (Array.isArray(holder)) {
    holder.splice(Number(last), 1);
    return () => void holder.splice(Number(last), 0, value);
  }
  if (isObject(holder)) delete holder[last];
  return () => set(holder, last, value);
}

/** Writes a value; objects that are missing on the way are made. False where a list is on the way that has no such element. */
export function put(root: JsonObject, path: string, value: Json): boolean {
  const names = path.split(".");
  const last = names.pop() ?? "";
  let holder: Json = root;
  for (const name of names) {
    if (Array.isArray(holder) && valueOf(holder, name) === undefined) return false;
    const below: Json | undefined = valueOf(holder, name);
    const isHolder = Array.isArray(below) || (below !== undefined && isObject(below));
    const next: Json = isHolder ? below : {};
    if (!isHolder) set(holder, name, next);
    holder = next;
  }
  if (Array.isArray(holder) && valueOf(holder, last) === undefined) return false;
  set(holder, last, value);
  return true;
}

function set(holder: Json, name: string, value: Json): void {
  if (Array.isArray(holder)) holder[Number(name)] = value;
  else if (isObject(holder)) holder[name] = value;
}

function valueOf(holder: Json, name: string): Json | undefined {
  if (Array.isArray(holder)) return isIndex(name) ? holder[Number(name)] : undefined;
  return isObject(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined;
}

/** Counts an element of a list. */
export function isIndex(name: string): boolean {
  return /^\d{1,9}$/.test(name);
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
