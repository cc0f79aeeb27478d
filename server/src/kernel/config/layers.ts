import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { messageOf } from "../errors.ts";
import type { About } from "./about.ts";
import { nearest } from "./nearest.ts";
import { allSettings, type SettingName, yamlNameOf } from "./settings.ts";

export type Origin = "environment" | "file" | "aftercall.yaml" | "dev.env" | "generated" | "default";
export type Raw = Partial<
  Record<SettingName, { readonly value: unknown; readonly origin: Origin; readonly from: string }>
>;
export type Problem = { readonly name: string; readonly problem: string; readonly fix: string };
export type Environment = Readonly<Record<string, string | undefined>>;

/** Values of the environment (a variable, or the file that `NAME_FILE` names), each with where it came from. */
export function readEnvironment(env: Environment, problems: Problem[]): Raw {
  const raw: Raw = {};
  for (const { name, about } of allSettings()) {
    const found = variablesOf(about).flatMap((variable) => valuesOf(variable, about, env, problems));
    const first = found[0];
    if (!first) continue;
    raw[name] = first;
    const other = found.find(({ value }) => value !== first.value);
    if (other) {
      problems.push({
        name: first.from,
        problem: `says something else than ${other.from}`,
        fix: `remove one of the two`,
      });
    }
  }
  problems.push(...unknownVariables(env));
  return raw;
}

function variablesOf(about: About): string[] {
  return [about.env, ...(about.aliases ?? [])];
}

type Found = { value: string; origin: Origin; from: string };

function valuesOf(variable: string, about: About, env: Environment, problems: Problem[]): Found[] {
  const found: Found[] = [];
  const value = env[variable];
  // An empty variable is how shells and compose files say "not set"; for a secret it is how they say that something went wrong.
  if (value !== undefined && (value !== "" || about.isSecret))
    found.push({ value, origin: "environment", from: variable });
  const file = about.isSecret && env[`${variable}_FILE`];
  if (!file) return found;
  try {
    found.push({ value: readFileSync(file, "utf8").trimEnd(), origin: "file", from: `${variable}_FILE` });
  } catch (error) {
    problems.push({
      name: `${variable}_FILE`,
      problem: messageOf(error),
      fix: "name a file that this process can read",
    });
  }
  return found;
}

function unknownVariables(env: Environment): Problem[] {
  const known = allSettings().flatMap(({ about }) =>
    variablesOf(about).flatMap((variable) => (about.isSecret ? [variable, `${variable}_FILE`] : [variable])),
  );
  return Object.keys(env)
    .filter((name) => name.startsWith("AFTERCALL_") && !known.includes(name))
    .map((name) => ({ name, problem: "there is no such setting", fix: suggestion(name, known) }));
}

/** The values of `aftercall.yaml`, if it is there: a flat list of `name: value`. */
export function readYaml(cwd: string, problems: Problem[]): Raw {
  const path = join(cwd, "aftercall.yaml");
  if (!existsSync(path)) return {};
  const values = parseYaml(path, problems);
  const names = new Map(allSettings().map(({ name, about }) => [yamlNameOf(about), name]));
  const raw: Raw = {};
  for (const [key, value] of Object.entries(values)) {
    const name = names.get(key);
    if (name) raw[name] = { value, origin: "aftercall.yaml", from: `aftercall.yaml: ${key}` };
    else
      problems.push({
        name: `aftercall.yaml: ${key}`,
        problem: "there is no such setting",
        fix: suggestion(key, [...names.keys()]),
      });
  }
  return raw;
}

function parseYaml(path: string, problems: Problem[]): Record<string, unknown> {
  try {
    const values: unknown = parse(readFileSync(path, "utf8")) ?? {};
    if (typeof values === "object" && !Array.isArray(values)) return values as Record<string, unknown>;
    problems.push({
      name: "aftercall.yaml",
      problem: "is not a list of settings",
      fix: "write lines such as: port: 4400",
    });
  } catch (error) {
    problems.push({ name: "aftercall.yaml", problem: messageOf(error).split("\n")[0] ?? "", fix: "correct the YAML" });
  }
  return {};
}

function suggestion(name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return close ? `did you mean ${close}?` : "remove it (all settings: docs/reference/configuration.md)";
}
