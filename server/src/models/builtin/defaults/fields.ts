import { FieldDef } from "@aftercall/contract/analysis/plan.ts";

import { israeliCities } from "./israeli-cities.ts";
import { serviceCategories } from "./service-categories.ts";

/** What is looked for in a call when the tenant has no plan of its own: where the caller is, and what it is about. */
export function defaultFields(): readonly FieldDef[] {
  return fields;
}

const fields: readonly FieldDef[] = [
  {
    ...FieldDef.parse({ name: "city", kind: "gazetteer", description: "City or town that the call is about" }),
    entries: israeliCities,
  },
  {
    ...FieldDef.parse({ name: "service_category", kind: "gazetteer", description: "Service that the caller asks for" }),
    entries: serviceCategories,
  },
];
