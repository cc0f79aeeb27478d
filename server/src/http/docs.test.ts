import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Route } from "@aftercall/contract/api.ts";
import { problems } from "@aftercall/contract/problem.ts";
import { routes } from "@aftercall/contract/routes.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startHttp, type TestHttp } from "../../test/harness/http.ts";
import { registerDocs } from "./docs.ts";
import { htmlOfMarkdown } from "./markdown.ts";
import { registerPages } from "./pages.ts";

let dir: string;
let http: TestHttp;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "docs-"));
  await mkdir(path.join(dir, "guides"));
  await writeFile(path.join(dir, "guides", "connect.md"), "# Connect <Vapi>\n\nSay `hello`.\n");
  await writeFile(path.join(dir, "secret.txt"), "hush");
  http = await startHttp(async (app) => {
    await registerPages(app, {
      version: "1.2.3<",
      dashboardDir: path.resolve(import.meta.dirname, "../../../dashboard/src"),
    });
    await registerDocs(app, { docsDir: dir, publicUrl: "https://calls.example.com", version: "1.2.3" });
  });
});
afterAll(async () => {
  await http.close();
  await rm(dir, { recursive: true });
});

async function ask(url: string) {
  const answer = await fetch(http.url + url);
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

test("200: the front page names the version, and runs no script", async () => {
  const { status, headers, text } = await ask("/");
  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(text).toContain("1.2.3&#60;");
  for (const [, href = ""] of text.matchAll(/href="(\/[^"]*)"/g)) {
    if (href === "/readyz" || href === "/healthz" || href === "/metrics") continue;
    expect([href, (await ask(href)).status]).toEqual([href, 200]);
  }
});

test("200: a document is a page, and with .md its own text", async () => {
  const page = await ask("/docs/guides/connect");
  expect(page.text).toContain("Connect &#60;Vapi&#62;</h1>");
  expect(page.text).toContain("<code>hello</code>");
  expect((await ask("/docs/guides/connect.md")).text).toBe("# Connect <Vapi>\n\nSay `hello`.\n");
  expect((await ask("/docs/plain")).text).toContain('<a href="/docs/guides/connect">');
});

describe("the API reference", () => {
  test("200: the page and what it loads come from this server, and its policy shuts every other host out", async () => {
    const { status, headers, text } = await ask("/docs");
    expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(text).not.toMatch(/(?:https?:)?\/\/(?!www\.w3\.org)[a-z0-9-]+\./i);
    const loaded = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url = ""]) => url);
    expect(loaded).toEqual(["/docs/plain", "js/scalar.js"]);
    expect((await ask("/docs/js/scalar.js")).headers.get("content-type")).toContain("javascript");
    const policy = new Map(
      (headers.get("content-security-policy") ?? "").split("; ").map((rule) => {
        const [name = "", ...sources] = rule.split(" ");
        return [name, sources] as const;
      }),
    );
    expect(policy.get("default-src")).toEqual(["'none'"]);
    for (const sources of policy.values()) {
      for (const source of sources)
        expect(source).toMatch(/^(?:'(?:self|none|unsafe-inline|sha256-[^']+)'|data:|blob:)$/);
    }
    expect(policy.get("script-src")).not.toContain("'unsafe-inline'");
  });

  test("what could ask elsewhere is switched off", async () => {
    const { text } = await ask("/docs");
    const given: unknown = JSON.parse(/createApiReference\('#app', (\{[\s\S]*?\})\)/.exec(text)?.[1] ?? "");
    expect(given).toMatchObject({
      url: "/openapi.json",
      telemetry: false,
      withDefaultFonts: false,
      showDeveloperTools: "never",
      agent: { disabled: true },
      mcp: { disabled: true },
    });
  });

  test("the script is packed for whoever takes it packed, and not sent twice", async () => {
    const first = await ask("/docs/js/scalar.js");
    expect(first.headers.get("content-encoding")).toBe("gzip");
    const again = await fetch(`${http.url}/docs/js/scalar.js`, {
      headers: { "if-none-match": first.headers.get("etag") ?? "" },
    });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  test("without script there is a page with every route", async () => {
    const { headers, text } = await ask("/docs/plain");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(text).not.toContain("<script");
    for (const [, { method, path: route }] of Object.entries<Route>(routes)) {
      expect(text).toContain(`<code>${method} ${route.replace(/:(\w+)/g, "{$1}")}</code>`);
    }
    const anchors = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    for (const [, id] of text.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(id);
  });

  test("/llms.txt names what there is to read, as it is written", async () => {
    const { headers, text } = await ask("/llms.txt");
    expect(headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(text).toMatch(/^# aftercall\n\n> /);
    expect(text).toContain("- [Connect <Vapi>](https://calls.example.com/docs/guides/connect.md)");
    expect(text).toContain("https://calls.example.com/openapi.json");
  });
});

test.each(Object.entries(problems))("200: the code %s has its page", async (code, { title }) => {
  const { status, text } = await ask(`/docs/problems/${code}`);
  expect([status, text.includes(`<h1>${title}</h1>`)]).toEqual([200, true]);
});

test.each(["/docs/secret.txt", "/docs/..%2f..%2fetc%2fpasswd", "/docs/problems/constructor", "/docs/nothing"])(
  "404: %s",
  async (url) => {
    expect((await ask(url)).status).toBe(404);
  },
);

describe("Markdown", () => {
  test.each([
    ["# A & B", '<h1 id="a-b">A &#38; B</h1>'],
    ["one\ntwo\n\nthree", "<p>one two</p>\n<p>three</p>"],
    ["- a\n- b\n  more", "<ul><li>a</li>\n<li>b more</li></ul>"],
    ["1. a\n2. b", "<ol><li>a</li>\n<li>b</li></ol>"],
    ["```sh\nnpm ci && <x>\n```", "<pre><code>npm ci &#38;&#38; &#60;x&#62;</code></pre>"],
    [
      "| a | b |\n|---|---|\n| `1` | 2 \\| 3 |",
      "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><code>1</code></td><td>2 | 3</td></tr></tbody></table>",
    ],
    ["> quoted **bold**", "<blockquote><p>quoted <strong>bold</strong></p></blockquote>"],
    ["[guide](guides/a.md) and `**not bold**`", '<p><a href="guides/a">guide</a> and <code>**not bold**</code></p>'],
    ["[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"],
    ["[x](//evil.example)", "<p>[x](//evil.example)</p>"],
    ["[a](x**) y**", "<p>[a](x<strong>) y</strong></p>"],
    ["[a](`x`)", "<p>[a](<code>x</code>)</p>"],
    ["<script>alert(1)</script>", "<p>&#60;script&#62;alert(1)&#60;/script&#62;</p>"],
  ])("%j is %j", (markdown, html) => {
    expect(htmlOfMarkdown(markdown)).toBe(html);
  });

  test("whatever a document says, only the tags above come out, without attributes but href and id", () => {
    const pieces = fc.constantFrom(
      "<",
      ">",
      '"',
      "'",
      "&",
      "`",
      "*",
      "**",
      "[a](",
      ")",
      "javascript:",
      "\n",
      "| ",
      "- ",
      "# ",
      "```",
      "> ",
      "x",
      "onerror=",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        const tags = htmlOfMarkdown(parts.join("")).match(/<[^>]*>?/g) ?? [];
        for (const tag of tags) {
          expect(tag).toMatch(
            /^<\/?(h[1-6]|p|ul|ol|li|pre|code|table|thead|tbody|tr|th|td|blockquote|strong|em|hr|a)( (href|id)="[^"<>]*")?>$/,
          );
          expect(tag).not.toContain("javascript:");
        }
      }),
    );
  });
});
