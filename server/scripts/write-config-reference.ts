import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { configReference } from "#/kernel/config/reference.ts";

const page = fileURLToPath(new URL("../../docs/reference/configuration.md", import.meta.url));
mkdirSync(new URL(".", `file://${page}`), { recursive: true });
writeFileSync(page, configReference());
console.log(`wrote ${page}`);
