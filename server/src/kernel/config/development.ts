import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { type Random, randomToken } from "../random.ts";
import type { Raw } from "./layers.ts";
import { allSettings } from "./settings.ts";

/** Every secret made up in development starts like this, so that production knows it without having seen the file. */
export const developmentPrefix = "ac_dev_";

/** `NAME=value` lines of `dev.env`. */
export function readDevelopmentFile(path: string): Map<string, string> {
  if (!existsSync(path)) return new Map();
  const lines = readFileSync(path, "utf8").split("\n");
  return new Map(
    lines.flatMap((line) => {
      const match = /^([A-Z_]+)=(.*)$/.exec(line.trim());
      return match?.[1] && match[2] !== undefined ? [[match[1], match[2]] as const] : [];
    }),
  );
}

/** Values for what is missing, remembered in `dev.env` (mode 600). What was made up just now has the origin `generated`. */
export function completeForDevelopment(raw: Raw, path: string, random: Random): Raw {
  const remembered = readDevelopmentFile(path);
  const added: Raw = {};
  const fresh: string[] = [];
  for (const { name, about } of allSettings()) {
    if (!about.isGenerated || raw[name]) continue;
    const known = remembered.get(about.env);
    const value = known ?? `${developmentPrefix}${randomToken(random, 24)}`;
    added[name] = { value, origin: known === undefined ? "generated" : "dev.env", from: "dev.env" };
    if (known === undefined) fresh.push(`${about.env}=${value}`);
  }
  if (fresh.length > 0) append(path, fresh);
  return added;
}

function append(path: string, lines: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true });
  const before = existsSync(path) ? readFileSync(path, "utf8") : `${header}\n`;
  writeFileSync(path, `${before}${lines.join("\n")}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
}

const header = "# Made up by aftercall for development. Production refuses these values.";
