import { readFile } from "node:fs/promises";
import path from "node:path";

import type { FastifyInstance, FastifyReply } from "fastify";

import { escapeHtml } from "./markdown.ts";

export type PageOptions = {
  readonly version: string;
  /** Folder of the dashboard's files. */
  readonly dashboardDir: string;
};

/** Scripts, frames and other origins are shut out: the pages need none of them. */
const pagePolicy =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page at `/` and the style that all pages share. */
export async function registerPages(app: FastifyInstance, options: PageOptions): Promise<void> {
  const [index, style] = await Promise.all([
    readFile(path.join(options.dashboardDir, "index.html"), "utf8"),
    readFile(path.join(options.dashboardDir, "style.css"), "utf8"),
  ]);
  const page = index.replaceAll("{{version}}", escapeHtml(options.version));
  app.get("/", async (_request, reply) => sendPage(reply, page));
  app.get("/assets/style.css", async (_request, reply) =>
    reply.type("text/css; charset=utf-8").header("cache-control", "public, max-age=300").send(style),
  );
}

/** A whole page around `html`, which is trusted: texts in it are escaped by whoever made it. */
export function pageOf(title: string, html: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · aftercall</title>
<link rel="stylesheet" href="/assets/style.css">
</head>
<body>
<header><a href="/">aftercall</a> <a href="/docs/plain">Docs</a> <a href="/docs">API reference</a></header>
<main>
${html}
</main>
</body>
</html>
`;
}

export function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply
    .type("text/html; charset=utf-8")
    .headers({ "content-security-policy": pagePolicy, "cache-control": "no-cache" })
    .send(html);
}
