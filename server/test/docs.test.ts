import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { limits } from "#/kernel/limits.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\0")
  .filter((page) => page !== "" && existsSync(path.join(root, page)));

/** Links to files, and paths from the root in code marks; `<placeholders>` and patterns are not meant literally. */
function filesNamedIn(page: string): string[] {
  const text = readFileSync(path.join(root, page), "utf8").replace(/^```[\s\S]*?^```/gm, "");
  const links = [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map((match) =>
    path.posix.join(path.posix.dirname(page), match[1] ?? ""),
  );
  const paths = [...text.matchAll(/`((?:contract|server|bench|docs|sdk|dashboard|\.ci)\/[\w./-]+)`/g)].map(
    (match) => match[1] ?? "",
  );
  return [...links, ...paths];
}

test.each(pages)("%s names no file that is gone", (page) => {
  expect(filesNamedIn(page).filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
});

test("a page that names a missing file would be seen", () => {
  expect(filesNamedIn("README.md")).toContain("docs/guides/receive-your-first-webhook.md");
  expect(filesNamedIn("CONTRIBUTING.md")).toContain("server/src/providers/provider.ts");
});

test("every npm script that a page tells to run exists", () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: object };
  const told = pages.flatMap((page) =>
    [...readFileSync(path.join(root, page), "utf8").matchAll(/npm run ([\w:]+)/g)].map((match) => match[1] ?? ""),
  );
  expect(told.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
});

test("the numbers of the operations pages are those of the limits", () => {
  const page = (name: string) => readFileSync(path.join(root, `docs/operations/what-if-${name}.md`), "utf8");
  const text = (value: number) => value.toLocaleString("en-US");
  expect(page("the-database-is-down")).toContain(`${limits.answerDeadlineMs / 1000} s after the request came`);
  expect(page("the-database-is-down")).toContain(`${text(limits.waitingRequestsMax)} requests`);
  expect(page("the-database-is-down")).toContain(`(${limits.waitingBytesMax / 1_000_000} MB)`);
  expect(page("the-server-is-killed")).toContain(`within ${limits.drainMs / 1000} s`);
  expect(page("the-server-is-killed")).toContain(`runs out after ${limits.deliveryLeaseMs / 1000} s`);
  expect(page("a-secret-is-wrong")).toContain(`latest ${text(limits.quarantineRowsMax)} refused requests`);
  expect(page("an-endpoint-is-down")).toContain(`${limits.deliverySlots} from one process`);
  expect(page("an-endpoint-is-down")).toContain(`at most ${limits.deliveryWaitingPerEndpointMax} wait`);
});
