import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { eventTypesPage } from "@aftercall/contract/event-types-page.ts";

const page = fileURLToPath(new URL("../../docs/reference/event-types.md", import.meta.url));
writeFileSync(page, eventTypesPage());
console.log(`wrote ${page}`);
