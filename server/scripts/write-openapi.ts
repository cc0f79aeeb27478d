import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { openApiOf } from "@aftercall/contract/openapi.ts";

/** Writes docs/reference/openapi.json from the contract. A test compares the two. */
const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const version = typeof manifest === "object" && manifest && "version" in manifest ? String(manifest.version) : "0";
const file = fileURLToPath(new URL("../../docs/reference/openapi.json", import.meta.url));
writeFileSync(file, `${JSON.stringify(openApiOf({ version }), null, 2)}\n`);
console.log(`wrote ${file}`);
