import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { printContract } from "./print-contract.ts";

const sdk = fileURLToPath(new URL("..", import.meta.url));
const root = path.dirname(path.resolve(sdk));

/**
 * Writes the package that is published: plain JavaScript and declarations, nothing bundled. The sources are compiled with the
 * contract written out, so the package needs neither the contract nor zod.
 */
export function build(outDir: string): void {
  // Inside the workspace, where the types of React are found, and not inside node_modules, whose files are named by package.
  const stage = path.join(sdk, `.cache/build-${process.pid}`);
  rmSync(stage, { recursive: true, force: true });
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  cpSync(path.join(sdk, "src"), path.join(stage, "src"), {
    recursive: true,
    filter: (file) => !/\.test\.tsx?$|[/\\]test-[a-z]+\.ts$/.test(file),
  });
  writeFileSync(path.join(stage, "src/contract.ts"), printContract());
  writeFileSync(
    path.join(stage, "tsconfig.json"),
    JSON.stringify({
      extends: path.join(sdk, "tsconfig.build.json"),
      compilerOptions: { rootDir: "src", outDir },
      include: ["src"],
    }),
  );
  try {
    execFileSync(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", stage], {
      encoding: "utf8",
    });
  } catch (error) {
    throw new Error(`The package does not compile:\n${(error as { stdout?: string }).stdout ?? ""}`, { cause: error });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

if (import.meta.main) build(path.join(sdk, "dist"));
