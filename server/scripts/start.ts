/** Starts the server from source. Compiled code is kept between starts: 0.4 s of compiling become 0.1 s. */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

enableCompileCache(fileURLToPath(new URL("../../node_modules/.cache/node", import.meta.url)));
await import("#/main.ts");
