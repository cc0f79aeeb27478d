import { binaryOf } from "../formats/binary.ts";
import type { Content } from "../formats/format.ts";
import { contentTypeOf } from "../formats/index.ts";
import type { HandOff } from "../target.ts";
import { mapBody } from "./map.ts";

/**
 * The bytes of a delivery as its endpoint wants them: those that are kept, or what its mapping and its settings of today make
 * of them.
 * @throws Error saying why they cannot be made. Bytes in another format than the one that the mapping is for are not sent: it
 * would not find there what it has to mask.
 */
export function contentOf({ body, form, target }: Pick<HandOff, "body" | "form" | "target">): Content {
  if (target.mapping !== null && form !== target.bodyForm) {
    throw new Error(`kept as ${form}, and the mapping is of ${target.bodyForm}`);
  }
  const mapped = target.mapping === null ? body : mapBody(body, target.mapping).body;
  if (target.isBinary && form.startsWith("cloudevents")) return binaryOf(mapped);
  return { body: mapped, contentType: contentTypeOf(form), headers: noHeaders };
}

const noHeaders: Content["headers"] = {};
