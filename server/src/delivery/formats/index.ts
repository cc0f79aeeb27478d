import type { BaseFormat } from "@aftercall/contract/endpoint/words.ts";

import { cloudevents } from "./cloudevents.ts";
import { flat } from "./flat.ts";
import type { BodyForm, Fact, Format } from "./format.ts";
import { standard } from "./standard.ts";

/** Every form a message can take. */
export const formats: Readonly<Record<BaseFormat, Format>> = { standard, flat, cloudevents };

/** The bytes of a fact in one form. */
export function renderFact(fact: Fact, form: BodyForm): Buffer {
  return formats[formatOf(form)].render(fact, form.endsWith(".thin") ? "thin" : "full");
}

/** The Content-Type of bytes that are kept under a name; what another version wrote under a name unknown here is JSON. */
export function contentTypeOf(form: string): string {
  const name = form.replace(/\.thin$/, "");
  return Object.hasOwn(formats, name) ? formats[formatOf(form)].contentType : standard.contentType;
}

function formatOf(form: string): BaseFormat {
  return form.replace(/\.thin$/, "") as BaseFormat;
}
