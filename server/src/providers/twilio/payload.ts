import { formOf, isForm, readForm } from "../form.ts";
import { readJson } from "../json.ts";
import type { JsonObject } from "../json.ts";
import { MalformedBody } from "../provider.ts";
import type { ProviderRequest } from "../provider.ts";
import { objectAt, objectOf, textOf, timeOf } from "../read.ts";
import { queryOf } from "./url.ts";

/** One callback: its fields, and where it came in a CloudEvents envelope, what that says. */
export type Callback = {
  readonly fields: JsonObject;
  readonly envelope: { readonly id: string | null; readonly type: string; readonly time: number | null } | null;
};

/**
 * Reads what Twilio sends: a form, the same fields in the query of a GET, the same fields as JSON, or an array of
 * CloudEvents (Event Streams) that each carry such fields.
 * @throws MalformedBody
 */
export function readCallbacks(request: ProviderRequest): Callback[] {
  if (request.method === "GET") return [plain(Object.fromEntries(queryOf(request.url) ?? formOf(request.body)))];
  if (isForm(request)) return [plain(readForm(request.body))];
  const body = readJson(request.body);
  const items = Array.isArray(body) ? body : [body];
  if (items.length === 0 || items.length > eventsMax) throw new MalformedBody("The body must hold 1 to 1000 events");
  return items.map((item: unknown) => {
    const object = objectOf(item);
    if (!object) throw new MalformedBody("An event must be a JSON object");
    return textOf(object["specversion"]) === null ? plain(object) : enveloped(object);
  });
}

const eventsMax = 1_000;

function plain(fields: JsonObject): Callback {
  return { fields, envelope: null };
}

function enveloped(event: JsonObject): Callback {
  const data = objectAt(event["data"]);
  return {
    fields: objectAt(objectAt(data["request"])["parameters"]),
    envelope: { id: textOf(event["id"]), type: textOf(event["type"]) ?? "cloudevent", time: timeOf(event["time"]) },
  };
}
