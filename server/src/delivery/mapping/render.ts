import type { HandOff } from "../target.ts";
import { mapBody } from "./map.ts";

/**
 * The bytes of a delivery as its endpoint wants them: those that are kept, or what its mapping of today makes of them.
 * @throws Error saying why they cannot be made. Bytes in another format than the one that the mapping is for are not sent: it
 * would not find there what it has to mask.
 */
export function bodyOf({ body, form, target }: Pick<HandOff, "body" | "form" | "target">): Buffer {
  if (target.mapping === null) return body;
  if (form !== target.bodyForm) throw new Error(`kept as ${form}, and the mapping is of ${target.bodyForm}`);
  return mapBody(body, target.mapping).body;
}
