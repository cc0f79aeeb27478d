import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, expect, test } from "vitest";

import { ConfigError, describeConfig, loadConfig } from "./config.ts";
import { configReference } from "./config/reference.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "aftercall-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const long = "0123456789abcdef0123456789abcdef";
const production = { AFTERCALL_MODE: "production", AFTERCALL_SECRET: long, PUBLIC_URL: "https://calls.example.com/" };

function load(env: Record<string, string> = {}) {
  return loadConfig({ env, cwd });
}

function problemsOf(env: Record<string, string>): string {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

test("nothing has to be set in development", () => {
  const { config } = load();
  expect(config).toMatchObject({
    mode: "development",
    role: "all",
    port: 4400,
    host: "127.0.0.1",
    publicUrl: "http://localhost:4400",
    databaseUrl: null,
    dataDir: join(cwd, ".aftercall"),
    logLevel: "info",
    settleSeconds: 120,
    unsignedSources: [],
    allowDegradedDurability: false,
  });
});

test("made-up secrets are told once, kept, and readable for their owner alone", () => {
  const first = load();
  expect(first.generated.map(({ name }) => name)).toContain("AFTERCALL_API_KEY");
  expect(first.config.apiKey).toMatch(/^ac_dev_/);
  expect(statSync(join(cwd, ".aftercall/dev.env")).mode & 0o777).toBe(0o600);
  const second = load();
  expect(second.generated).toEqual([]);
  expect(second.config).toEqual(first.config);
  expect(second.origins.AFTERCALL_SECRET).toBe("dev.env");
});

test("a secret that is given is not made up", () => {
  const { config, generated } = load({ VAPI_WEBHOOK_SECRET: "mine" });
  expect(config.vapiWebhookSecret).toBe("mine");
  expect(generated.map(({ name }) => name)).not.toContain("VAPI_WEBHOOK_SECRET");
});

test("the environment wins over aftercall.yaml, which wins over defaults", () => {
  writeFileSync(join(cwd, "aftercall.yaml"), "port: 5000\nsettle_seconds: 30\ntrusted_proxies: [10.0.0.0/8]\n");
  const { config, origins } = load({ PORT: "6000" });
  expect(config).toMatchObject({ port: 6000, settleSeconds: 30, trustedProxies: ["10.0.0.0/8"], logLevel: "info" });
  expect(origins).toMatchObject({
    PORT: "environment",
    AFTERCALL_SETTLE_SECONDS: "aftercall.yaml",
    AFTERCALL_LOG_LEVEL: "default",
  });
});

test("lists are separated by commas, and an empty variable is no variable", () => {
  const { config } = load({ AFTERCALL_UNSIGNED_SOURCES: " wonderful, vapi,", AFTERCALL_LOG_LEVEL: "" });
  expect(config).toMatchObject({ unsignedSources: ["wonderful", "vapi"], logLevel: "info" });
});

test("a secret is read from the file that NAME_FILE names, without its line break", () => {
  const file = join(cwd, "secret");
  writeFileSync(file, `${long}\n`);
  expect(load({ AFTERCALL_SECRET_FILE: file }).config.secret).toBe(long);
  expect(problemsOf({ AFTERCALL_SECRET_FILE: join(cwd, "absent") })).toContain("AFTERCALL_SECRET_FILE");
});

test("a variable and its alias are one setting, and two that differ are refused", () => {
  const { config, valueOf } = load({ WEBHOOK_SHARED_SECRET: "shared" });
  expect(config.vapiWebhookSecret).toBe("shared");
  expect(valueOf("VAPI_WEBHOOK_SECRET")).toBe("shared");
  expect(problemsOf({ WEBHOOK_SHARED_SECRET: "one", VAPI_WEBHOOK_SECRET: "two" })).toContain(
    "says something else than",
  );
});

test("all errors are told at once, each with its fix", () => {
  const text = problemsOf({
    PORT: "abc",
    AFTERCALL_ROLE: "boss",
    AFTERCALL_SETLE_SECONDS: "5",
    AFTERCALL_PRIVATE_TARGETS: "10.0.0.0/99",
  });
  expect(text).toContain("PORT must be a whole number from 0 to 65535 → PORT=4400");
  expect(text).toContain("AFTERCALL_ROLE must be all, api or worker");
  expect(text).toContain("AFTERCALL_SETLE_SECONDS there is no such setting → did you mean AFTERCALL_SETTLE_SECONDS?");
  expect(text).toContain("AFTERCALL_PRIVATE_TARGETS");
});

test.each(["", " ", "undefined", "null", "NULL", "changeme"])(
  "the secret %j of a failed script is refused",
  (value) => {
    expect(problemsOf({ TWILIO_AUTH_TOKEN: value })).toContain("TWILIO_AUTH_TOKEN is empty");
  },
);

test("an error never shows the secret that caused it", () => {
  expect(problemsOf({ AFTERCALL_SECRET: "short-secret", DATABASE_URL: "mysql://user:hunter2@host" })).not.toMatch(
    /short-secret|hunter2/,
  );
});

test("unknown names and broken YAML in aftercall.yaml are errors", () => {
  writeFileSync(join(cwd, "aftercall.yaml"), "prot: 1\n");
  expect(problemsOf({})).toContain("did you mean port?");
  writeFileSync(join(cwd, "aftercall.yaml"), "port: [1\n");
  expect(problemsOf({})).toContain("correct the YAML");
});

test("half of LiveKit's key pair is refused", () => {
  expect(problemsOf({ LIVEKIT_API_KEY: "APIkey" })).toContain("LIVEKIT_API_SECRET is missing");
});

test("production starts with a secret and a public URL, and makes nothing up", () => {
  const { config, generated } = load(production);
  expect(config).toMatchObject({
    mode: "production",
    host: "0.0.0.0",
    publicUrl: "https://calls.example.com",
    apiKey: null,
  });
  expect(generated).toEqual([]);
});

test("production without secret or public URL does not start", () => {
  const text = problemsOf({ NODE_ENV: "production" });
  expect(text).toContain("AFTERCALL_SECRET is required in production");
  expect(text).toContain("PUBLIC_URL is required in production");
});

test("production refuses secrets made up in development, also when only the file knows them", () => {
  const made = load().config;
  expect(problemsOf({ ...production, AFTERCALL_API_KEY: made.apiKey ?? "" })).toContain(
    "AFTERCALL_API_KEY was made up",
  );
  mkdirSync(join(cwd, ".aftercall"), { recursive: true });
  writeFileSync(join(cwd, ".aftercall/dev.env"), `JWT_SECRET=${long}\n`);
  expect(problemsOf({ ...production, JWT_SECRET: long })).toContain("JWT_SECRET was made up");
});

test("what is shown of the configuration holds no secret", () => {
  const loaded = load({ DATABASE_URL: "postgres://user:hunter2@host/db" });
  const shown = JSON.stringify(describeConfig(loaded));
  for (const secret of ["hunter2", loaded.config.secret, loaded.config.apiKey]) expect(shown).not.toContain(secret);
  expect(shown).toContain("4400");
});

test("the reference page is current (node server/scripts/write-config-reference.ts)", () => {
  const page = fileURLToPath(new URL("../../../docs/reference/configuration.md", import.meta.url));
  expect(readFileSync(page, "utf8")).toBe(configReference());
});

test("only https goes out in production, unless the operator says otherwise", () => {
  expect(load().config.httpsOnly).toBe(false);
  expect(load(production).config.httpsOnly).toBe(true);
  expect(load({ ...production, AFTERCALL_HTTPS_ONLY: "false" }).config.httpsOnly).toBe(false);
});

test("the proxy and what goes around it are taken from the variables every program reads", () => {
  const { config } = load({ https_proxy: "http://proxy:3128", NO_PROXY: "a.example, 10.0.0.0/8" });
  expect(config).toMatchObject({ httpsProxy: "http://proxy:3128", noProxy: ["a.example", "10.0.0.0/8"] });
  expect(load({ HTTPS_PROXY: "" }).config.httpsProxy).toBeNull();
  expect(problemsOf({ HTTPS_PROXY: "socks5://proxy:1080" })).toContain("HTTPS_PROXY must be a URL");
});
