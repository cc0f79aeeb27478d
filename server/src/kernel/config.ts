import { join, resolve } from "node:path";

import { completeForDevelopment, developmentPrefix, readDevelopmentFile } from "./config/development.ts";
import { type Environment, type Origin, type Problem, type Raw, readEnvironment, readYaml } from "./config/layers.ts";
import { allSettings, type SettingName, type Settings, settingsSchema } from "./config/settings.ts";
import { type Random, systemRandom } from "./random.ts";

/** What the server was told. Null: not told. */
export type Config = {
  readonly [Name in SettingName]-?: undefined extends Settings[Name]
    ? Exclude<Settings[Name], undefined> | null
    : Settings[Name];
} & {
  readonly mode: "development" | "production";
  readonly host: string;
  readonly publicUrl: string;
  readonly secret: string;
  readonly httpsOnly: boolean;
};

export type LoadedConfig = {
  readonly config: Config;
  /** Secrets that were made up at this very start, to be shown once. */
  readonly generated: readonly { readonly name: string; readonly value: string }[];
  /** Where each value came from, by environment variable. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** The value of a provider's variable (`VAPI_WEBHOOK_SECRET`, also by its alias); null where it is not set. */
  readonly valueOf: (variable: string) => string | null;
};

/** Everything that is wrong, each with what to do about it. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ name, problem, fix }) => `  ${name} ${problem} → ${fix}`);
    super(
      `The configuration has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${lines.join("\n")}`,
    );
    this.name = "ConfigError";
    this.problems = problems;
  }
}

export type LoadOptions = { readonly env?: Environment; readonly cwd?: string; readonly random?: Random };

/**
 * Reads the configuration: environment, then `aftercall.yaml` in the working directory, then defaults. In development what is
 * missing is made up and kept. The only place that reads the environment.
 * @throws ConfigError with all problems at once.
 */
export function loadConfig({
  env = process.env,
  cwd = process.cwd(),
  random = systemRandom,
}: LoadOptions = {}): LoadedConfig {
  const problems: Problem[] = [];
  const told: Raw = { ...readYaml(cwd, problems), ...readEnvironment(env, problems) };
  const mode = modeOf(told, env);
  const devFile = join(resolve(cwd, textOf(told.dataDir?.value, "./.aftercall")), "dev.env");
  if (mode === "production") problems.push(...productionProblems(told, devFile));
  problems.push(...check(told), ...halfKeyPair(told), ...halfObjectStore(told));
  if (problems.length > 0) throw new ConfigError(problems);

  const raw = mode === "development" ? { ...told, ...completeForDevelopment(told, devFile, random) } : told;
  const settings = settingsSchema.parse(valuesOf(raw));
  const config = complete(settings, mode, cwd);
  return {
    config,
    generated: generatedIn(raw),
    origins: originsIn(raw),
    valueOf: (variable) => valueOf(config, variable),
  };
}

/** Every setting with its value and origin, secrets hidden: what `config print` and the log show. */
export function describeConfig({ config, origins }: LoadedConfig): { name: string; value: string; origin: Origin }[] {
  return allSettings().map(({ name, about }) => {
    const value = config[name];
    const text = value === null ? "not set" : Array.isArray(value) ? value.join(",") : String(value);
    return {
      name: about.env,
      value: about.isSecret && value !== null ? "[hidden]" : text,
      origin: origins[about.env] ?? "default",
    };
  });
}

function modeOf(told: Raw, env: Environment): Config["mode"] {
  const given = told.mode?.value ?? env["NODE_ENV"];
  return given === "production" ? "production" : "development";
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function valuesOf(raw: Raw): Record<string, unknown> {
  return Object.fromEntries(Object.entries(raw).map(([name, { value }]) => [name, value]));
}

function check(told: Raw): Problem[] {
  const checked = settingsSchema.safeParse(valuesOf(told));
  if (checked.success) return [];
  return checked.error.issues.map(({ path, message }) => {
    const { name, about } = settingNamed(String(path[0]));
    return { name: told[name]?.from ?? about.env, problem: message, fix: `${about.env}=${about.example}` };
  });
}

/** One half given and the other made up would look right and fit nothing. */
function halfKeyPair(told: Raw): Problem[] {
  if (Boolean(told.livekitApiKey) === Boolean(told.livekitApiSecret)) return [];
  const missing = told.livekitApiKey ? "LIVEKIT_API_SECRET" : "LIVEKIT_API_KEY";
  return [{ name: missing, problem: "is missing: key and secret belong together", fix: `${missing}=…` }];
}

/** An object store that is named in part would silently be a folder. */
function halfObjectStore(told: Raw): Problem[] {
  const parts = ["s3Endpoint", "s3Bucket", "s3AccessKeyId", "s3SecretAccessKey"] as const;
  if (parts.every((name) => told[name]) || !parts.some((name) => told[name])) return [];
  return parts
    .filter((name) => !told[name])
    .map((name) => {
      const { about } = settingNamed(name);
      return {
        name: about.env,
        problem: "is missing: an object store needs all four",
        fix: `${about.env}=${about.example}`,
      };
    });
}

function settingNamed(wanted: string) {
  const setting = allSettings().find(({ name }) => name === wanted);
  if (!setting) throw new TypeError(`No setting ${wanted}`);
  return setting;
}

/** What a development machine forgives and a public server must not. */
function productionProblems(told: Raw, devFile: string): Problem[] {
  const missing = (["secret", "publicUrl"] as const).filter((name) => !told[name]);
  const madeUp = new Set(readDevelopmentFile(devFile).values());
  const fromDevelopment = allSettings().filter(({ name, about }) => {
    const value = told[name]?.value;
    return about.isSecret && typeof value === "string" && (value.startsWith(developmentPrefix) || madeUp.has(value));
  });
  return [
    ...missing.map((name) => {
      const { about } = settingNamed(name);
      return { name: about.env, problem: "is required in production", fix: `${about.env}=${about.example}` };
    }),
    ...fromDevelopment.map(({ name, about }) => ({
      name: told[name]?.from ?? about.env,
      problem: "was made up in development, where it is written to a file",
      fix: `${about.env}=${about.example}`,
    })),
  ];
}

function complete(settings: Settings, mode: Config["mode"], cwd: string): Config {
  const absent = Object.fromEntries(allSettings().map(({ name }) => [name, null]));
  // Every setting has a key after this, which is all that Config promises beyond the schema's own types.
  return {
    ...(absent as Record<SettingName, null>),
    ...settings,
    mode,
    host: settings.host ?? (mode === "development" ? "127.0.0.1" : "0.0.0.0"),
    httpsOnly: settings.httpsOnly ?? mode === "production",
    httpsProxy: settings.httpsProxy || null,
    publicUrl: settings.publicUrl ?? `http://localhost:${settings.port}`,
    secret: settings.secret ?? "",
    dataDir: resolve(cwd, settings.dataDir),
  } as Config;
}

function generatedIn(raw: Raw): { name: string; value: string }[] {
  return allSettings().flatMap(({ name, about }) => {
    const given = raw[name];
    return given?.origin === "generated" ? [{ name: about.env, value: String(given.value) }] : [];
  });
}

function originsIn(raw: Raw): Record<string, Origin> {
  return Object.fromEntries(allSettings().map(({ name, about }) => [about.env, raw[name]?.origin ?? "default"]));
}

function valueOf(config: Config, variable: string): string | null {
  const setting = allSettings().find(({ about }) => about.env === variable || about.aliases?.includes(variable));
  const value = setting ? config[setting.name] : null;
  return typeof value === "string" ? value : null;
}
