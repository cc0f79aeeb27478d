import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const src = path.join(root, "server/src");

/** What a folder of server/src may import of ours besides itself. `contract` is @aftercall/contract. */
const base = ["kernel", "db", "jobs", "audit", "contract"];
const features = [...base, "calls"];
const walls: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  db: ["kernel"],
  jobs: ["kernel", "db", "contract"],
  audit: ["kernel", "db", "contract"],
  providers: ["kernel", "contract"],
  // Pure: text, sound and numbers; what needs a process of its own or a file is said in the file.
  text: ["kernel", "contract"],
  metrics: ["contract", "text"],
  audio: ["kernel", "contract"],
  // Large bytes: a folder or an object store.
  blobs: ["kernel", "contract"],
  // The built-in analyzer, language models, speech-to-text; they reach the network by what they are handed.
  models: ["kernel", "contract", "text", "metrics", "audio"],
  engines: [...base, "models", "audio"],
  calls: [...base, "providers", "text"],
  sources: [...base, "providers"],
  inbox: [...base, "providers", "sources", "calls"],
  recordings: [...features, "blobs", "audio", "providers", "sources"],
  redaction: [...base, "text", "audio"],
  evaluation: [...features, "text", "metrics", "models"],
  pipeline: [
    ...features,
    "providers",
    "sources",
    "recordings",
    "engines",
    "models",
    "evaluation",
    "redaction",
    "metrics",
    "audio",
    "blobs",
    "text",
  ],
  campaigns: features,
  training: [...features, "providers", "sources"],
  delivery: features,
  live: features,
  // Calls that this server carries itself; what it notes of them goes to the inbox by what it is handed.
  bridge: [...base, "providers", "sources"],
  tenants: features,
  retention: [...base, "blobs"],
  "start-failure.ts": ["kernel"],
};
/** These put features together, so they may see them; no feature sees these. */
const composers = ["http", "compat", "app", "app.ts", "main.ts", "reactions.ts", "jobs-list.ts"];

/** Where a library is at home; everybody else works with what its home makes of it. */
const homes: Readonly<Record<string, readonly string[]>> = {
  pg: ["db", "jobs"],
  "pg-boss": ["jobs"],
  undici: ["kernel/net"],
  ws: ["kernel/net"],
  fastify: ["http", "compat", "app"],
  pino: ["kernel"],
  "prom-client": ["kernel"],
  "@opentelemetry/api": ["kernel/tracing.ts"],
  "@opentelemetry/exporter-trace-otlp-http": ["kernel/tracing.ts"],
  "@opentelemetry/resources": ["kernel/tracing.ts"],
  "@opentelemetry/sdk-trace": ["kernel/tracing.ts"],
  yaml: ["kernel/config"],
};

/** Time, chance and surroundings are handed in, so that a test can replay a three-day schedule in milliseconds. */
const handedIn: readonly (readonly [what: string, pattern: RegExp, home: string])[] = [
  ["the environment", /\bprocess\.env\b/, "kernel/config"],
  ["the wall clock", /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/, "kernel/"],
  ["chance", /\bMath\.random\b|\brandomUUID\b/, "kernel/"],
  ["a timer", /\bset(?:Timeout|Interval)\b/, "kernel/"],
];

const sql = /\b(?:select\s[\s\S]+?\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from)\s/;

type Source = { readonly file: string; readonly text: string };

/** Everything that a set of source files does against the rules, in words. */
function trespasses(sources: readonly Source[]): string[] {
  return sources.flatMap(({ file, text }) => {
    const code = withoutComments(text);
    return [
      ...importsOf(text).flatMap((target) => wrongImport(file, target)),
      ...handedIn.flatMap(([what, pattern, home]) =>
        pattern.test(code) && !file.startsWith(home) ? [`${file} reaches for ${what}; only ${home} may`] : [],
      ),
      ...(sql.test(code) && !mayHoldSql(file) ? [`${file} holds SQL; it belongs into a store.ts`] : []),
      ...(text.split("\n").length > 301 ? [`${file} is longer than 300 lines`] : []),
    ];
  });
}

function wrongImport(file: string, target: string): string[] {
  if (target.startsWith(".")) {
    const reached = path.posix.join(path.posix.dirname(file), target);
    const isInside = folderOf(reached) === folderOf(file) || !file.includes("/");
    return isInside && !target.startsWith("../../") ? [] : [`${file} imports ${target}; across folders it is #/…`];
  }
  if (target.startsWith("#/")) return wall(file, folderOf(target.slice(2)));
  if (target.startsWith("@aftercall/contract/")) return wall(file, "contract");
  const home = homes[target];
  if (!home || home.some((one) => file.startsWith(one))) return [];
  return [`${file} imports ${target}, which lives in ${home[0]}`];
}

function wall(file: string, to: string): string[] {
  const from = folderOf(file);
  if (from === to || composers.includes(from)) return [];
  const allowed = walls[from];
  if (!allowed) return [`${file} is in a folder without import rules; give ${from} a line`];
  return allowed.includes(to) ? [] : [`${file} imports ${to}; ${from} may not`];
}

/** `calls/store.ts` → `calls`; a file beside the folders is its own folder. */
function folderOf(file: string): string {
  return file.split("/")[0] ?? file;
}

function mayHoldSql(file: string): boolean {
  return /(?:^|[/-])store\.ts$/.test(file) || file.startsWith("db/");
}

function importsOf(text: string): string[] {
  return [
    ...text.matchAll(/^(?:import|export)\b[^;]*?\sfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"|^import\s+"([^"]+)"/gm),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<![:"'`])\/\/.*$/gm, "");
}

function sourcesBelow(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll(path.sep, "/"))
    .filter((file) => file.endsWith(".ts") && !/(?:\.test|\btest-[a-z]+)\.ts$/.test(file))
    .map((file) => ({ file, text: readFileSync(path.join(folder, file), "utf8") }));
}

test("features meet only where they are put together, and everything reaches time, SQL and libraries through their one home", () => {
  expect(trespasses(sourcesBelow(src))).toEqual([]);
});

test("a trespass of every kind is seen", () => {
  const planted: readonly (readonly [file: string, text: string, seen: string])[] = [
    [
      "campaigns/progress.ts",
      'import { choose } from "#/delivery/choose.ts";',
      "campaigns/progress.ts imports delivery",
    ],
    ["providers/vapi/index.ts", 'import type { Tx } from "#/db/transaction.ts";', "imports db; providers may not"],
    ["kernel/ids.ts", 'import { toPublicId } from "@aftercall/contract/id.ts";', "imports contract"],
    ["calls/find.ts", 'export { apply } from "#/app.ts";', "imports app.ts"],
    ["calls/find.ts", 'const late = await import("#/inbox/batch.ts");', "imports inbox"],
    ["calls/find.ts", 'import { limits } from "../kernel/limits.ts";', "across folders it is #/"],
    ["inbox/deep/a.ts", 'import { receive } from "../../inbox/receive.ts";', "across folders it is #/"],
    ["calls/find.ts", 'import pg from "pg";', "imports pg, which lives in db"],
    ["inbox/late.ts", 'import {\n  request,\n} from "undici";', "imports undici, which lives in kernel/net"],
    ["calls/find.ts", "const now = Date.now();", "reaches for the wall clock"],
    ["calls/find.ts", "const id = randomUUID();", "reaches for chance"],
    ["calls/find.ts", "setTimeout(retry, 10);", "reaches for a timer"],
    ["kernel/log.ts", "const level = process.env.LEVEL;", "reaches for the environment"],
    ["calls/find.ts", "await tx.query(`select id\n from calls where id = $1`);", "holds SQL"],
    ["calls/long.ts", "\n".repeat(301), "longer than 300 lines"],
    ["billing/index.ts", 'import { limits } from "#/kernel/limits.ts";', "without import rules"],
  ];
  for (const [file, text, seen] of planted)
    expect(trespasses([{ file, text }])).toEqual([expect.stringContaining(seen)]);
  const words = "// Date.now() and `select a from b` are only spoken of\n/* process.env */";
  expect(trespasses([{ file: "calls/find.ts", text: words }])).toEqual([]);
});

test("every folder of a provider has its line in the list", () => {
  const folder = path.join(src, "providers");
  const list = readFileSync(path.join(folder, "index.ts"), "utf8");
  const providers = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "signatures")
    .map((entry) => entry.name);
  expect(providers.filter((name) => !list.includes(`"./${name}/index.ts"`))).toEqual([]);
});

test("no tracked file speaks of a machine, a workplace or a registry", () => {
  const listed = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0");
  const own = "server/test/architecture.test.ts";
  const spoken = listed
    .filter((file) => file !== "" && file !== own && /\.(?:ts|md|json|ya?ml|sql|html|css|txt)$|^\.|\/run$/.test(file))
    .filter((file) =>
      /(?<![\w./-])\/(?:work|root)\/|\bseed [0-4]\b|CONTRACTS\.md|registry\.npmjs/i.test(
        readFileSync(path.join(root, file), "utf8"),
      ),
    );
  expect(spoken).toEqual([]);
});

test("the map names every folder of the server, and who may import whom", () => {
  const pages = readFileSync(path.join(root, "ARCHITECTURE.md"), "utf8");
  const [, map = "", rules = ""] = /## Code map\n([\s\S]*?)\n## Who may import whom\n([\s\S]*?)\n## /.exec(pages) ?? [];
  const folders = readdirSync(src, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []));
  const isNamed = (page: string, folder: string) => new RegExp(`\`(?:server/src/)?${folder}/?\``).test(page);
  expect(folders.filter((folder) => !isNamed(map, folder))).toEqual([]);
  expect(folders.filter((folder) => !isNamed(rules, folder))).toEqual([]);
});
