/**
 * The server for development: started again whenever a file changes, its log made readable. Everything else is as in
 * `npm start`: PORT, PUBLIC_URL, DATABASE_URL and aftercall.yaml count, the embedded database is in ./.aftercall.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { readable } from "./dev/readable.ts";

const start = fileURLToPath(new URL("start.ts", import.meta.url));
const child = spawn(process.execPath, ["--watch", "--watch-preserve-output", start, ...process.argv.slice(2)], {
  stdio: ["inherit", "pipe", "inherit"],
});
const isColored = process.stdout.isTTY && !process.env["NO_COLOR"];
createInterface({ input: child.stdout }).on("line", (line) => console.log(readable(line, isColored)));

// Ctrl+C reaches the server as well; it stops cleanly, and this process goes with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
child.once("exit", (code) => {
  process.exitCode = code ?? 0;
});
