/*
 * Loaded before the scripts of package.json that people start. A Node that knows no TypeScript, and packages that are not there,
 * would end them with a stack trace; so this is JavaScript that any Node reads, and uses nothing that is installed.
 */
const { existsSync } = require("node:fs");
const path = require("node:path");

const root = path.join(__dirname, "../..");
const needed = Number.parseInt(require(path.join(root, "package.json")).engines.node.replace(">=", ""), 10);
const [found] = process.versions.node.split(".").map(Number);

if (!existsSync(path.join(root, "node_modules/@aftercall"))) {
  refuse("its packages are not installed: run npm ci");
} else if (found < needed) {
  refuse(
    `it needs Node ${needed}, and this is ${process.versions.node}: on Linux and Windows npm ci brings it along ` +
      `(not with --omit=optional), elsewhere install Node ${needed}`,
  );
}

function refuse(reason) {
  process.stderr.write(`aftercall cannot start: ${reason}\n`);
  process.exit(1);
}
