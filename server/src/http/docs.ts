import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { problemOf, problems } from "@aftercall/contract/problem.ts";
import type { FastifyInstance } from "fastify";

import { NotFound } from "#/kernel/errors.ts";

import { llmsText } from "./llms.ts";
import { escapeHtml, htmlOfMarkdown } from "./markdown.ts";
import { pageOf, sendPage } from "./pages.ts";
import { plainReference } from "./plain-reference.ts";
import { registerReference } from "./reference.ts";

/** A document of the repository: `guides/connect-vapi` with its text. */
export type Document = { readonly name: string; readonly title: string; readonly markdown: string };

export type DocsOptions = { readonly docsDir: string; readonly publicUrl: string; readonly version: string };

/**
 * Serves the API reference at `/docs`, and without script at `/docs/plain` under an index of the repository's docs/; each
 * document as a page and, with `.md`, as it is written; a page for every problem code; `/llms.txt`. Documents are read once
 * and looked up by name, so a path in a request never reaches the file system.
 */
export async function registerDocs(app: FastifyInstance, options: DocsOptions): Promise<void> {
  const documents = new Map((await readDocuments(options.docsDir)).map((document) => [document.name, document]));
  let plain: string | undefined;
  await registerReference(app);

  app.get("/docs/plain", async (_request, reply) => {
    plain ??= pageOf("Docs", indexOf([...documents.values()]) + plainReference(options.version));
    return sendPage(reply, plain);
  });

  app.get("/llms.txt", async (_request, reply) =>
    reply
      .type("text/plain; charset=utf-8")
      .header("cache-control", "no-cache")
      .send(llmsText(options.publicUrl, [...documents.values()])),
  );

  app.get<{ Params: { code: string } }>("/docs/problems/:code", async (request, reply) => {
    const { code } = request.params;
    const problem = problemOf(code);
    if (!problem) throw new NotFound("Problem");
    const text = `<h1>${escapeHtml(problem.title)}</h1><p><code>${escapeHtml(code)}</code> · HTTP ${problem.status}</p>`;
    return sendPage(reply, pageOf(code, text + htmlOfMarkdown(problem.meaning)));
  });

  app.get<{ Params: { "*": string } }>("/docs/*", async (request, reply) => {
    const wanted = request.params["*"];
    const document = documents.get(wanted.replace(/\.md$/, ""));
    if (!document) throw new NotFound("Document");
    if (wanted.endsWith(".md")) return reply.type("text/markdown; charset=utf-8").send(document.markdown);
    return sendPage(reply, pageOf(document.title, htmlOfMarkdown(document.markdown)));
  });
}

async function readDocuments(dir: string): Promise<Document[]> {
  const files = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const documents = files
    .filter((file) => file.isFile() && file.name.endsWith(".md"))
    .map(async (file) => {
      const full = path.join(file.parentPath, file.name);
      const markdown = await readFile(full, "utf8");
      const name = path.relative(dir, full).split(path.sep).join("/").replace(/\.md$/, "");
      return { name, title: /^# +(.+)$/m.exec(markdown)?.[1] ?? name, markdown };
    });
  return (await Promise.all(documents)).toSorted((a, b) => a.name.localeCompare(b.name));
}

function indexOf(documents: readonly Document[]): string {
  const folderOf = (document: Document) =>
    document.name.includes("/") ? document.name.slice(0, document.name.lastIndexOf("/")) : "general";
  const sections = [...new Set(documents.map(folderOf))].map((folder) => {
    const links = documents
      .filter((document) => folderOf(document) === folder)
      .map((document) => linkTo(`/docs/${document.name}`, document.title));
    return `<h2>${escapeHtml(folder)}</h2><ul>${links.join("\n")}</ul>`;
  });
  const codes = Object.entries(problems).map(([code, { title }]) =>
    linkTo(`/docs/problems/${code}`, `${code}: ${title}`),
  );
  return `<h1>Docs</h1>${sections.join("\n")}<h2>problems</h2><ul>${codes.join("\n")}</ul><h1>API</h1>`;
}

function linkTo(href: string, text: string): string {
  return `<li><a href="${escapeHtml(href)}">${escapeHtml(text)}</a></li>`;
}
