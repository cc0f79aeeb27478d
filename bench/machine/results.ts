import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";

/** Where and by which command figures were measured: the head of every committed result. */
export function aboutRun(root: string) {
  return {
    date: new Date().toISOString(),
    commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).trim(),
    command: ["npm run bench --", ...process.argv.slice(2)].join(" "),
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    load: loadavg().map((load) => Math.round(load * 10) / 10),
    node: process.versions.node,
  };
}

/** Writes figures as JSON and as Markdown to `bench/results`; gives the paths. */
export function writeResultFiles(root: string, name: string, figures: object, markdown: readonly string[]): string[] {
  const dir = join(root, "bench/results");
  mkdirSync(dir, { recursive: true });
  const [json, page] = [join(dir, `${name}.json`), join(dir, `${name}.md`)];
  writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
  writeFileSync(page, markdown.join("\n"));
  return [json, page];
}
