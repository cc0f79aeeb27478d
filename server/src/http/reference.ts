import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

import scalar from "@scalar/fastify-api-reference";
import type { FastifyInstance, FastifyReply } from "fastify";

import { etagOf } from "./etag.ts";

/**
 * `/docs`: the API reference (Scalar), drawn in the browser from `/openapi.json`. Everything comes from this server: what the
 * library would fetch elsewhere (fonts, a chat agent, telemetry, developer tools, a request proxy) is switched off, and the
 * page's policy shuts other hosts out besides. Who has no script finds the same at `/docs/plain`.
 */
export async function registerReference(app: FastifyInstance): Promise<void> {
  const packed = new Map<string, { readonly bytes: Buffer; readonly etag: string }>();
  await app.register(async (scope) => {
    scope.addHook<string>("onSend", async (request, reply, payload) => {
      if (reply.statusCode !== 200 || typeof payload !== "string") return payload;
      if (!String(reply.getHeader("content-type")).startsWith("text/html")) {
        return sendScript(reply, payload, request.headers);
      }
      const page = withFallback(payload);
      reply.headers({
        "content-security-policy": policyOf(page),
        "cache-control": "no-cache",
        "content-length": Buffer.byteLength(page),
      });
      return page;
    });
    await scope.register(scalar, { routePrefix: "/docs", configuration });
  });

  /** The script is 4 MB as text and a quarter of it packed; it is packed once. */
  function sendScript(reply: FastifyReply, script: string, headers: { [name: string]: unknown }): string | Buffer {
    const kept = packed.get("script") ?? { bytes: gzipSync(script), etag: etagOf(script) };
    packed.set("script", kept);
    reply.headers({ etag: kept.etag, "cache-control": "public, max-age=3600", vary: "accept-encoding" });
    if (headers["if-none-match"] === kept.etag) {
      reply.code(304).removeHeader("content-length");
      return "";
    }
    if (!/\bgzip\b/.test(String(headers["accept-encoding"] ?? ""))) return script;
    reply.headers({ "content-encoding": "gzip", "content-length": kept.bytes.length });
    return kept.bytes;
  }
}

const configuration = {
  url: "/openapi.json",
  pageTitle: "API reference · aftercall",
  telemetry: false,
  withDefaultFonts: false,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  persistAuth: false,
} as const;

/** For whoever runs no script, the way to the page that needs none. */
function withFallback(page: string): string {
  return page
    .replace("<html>", '<html lang="en">')
    .replace(
      '<div id="app"></div>',
      '<noscript><p><a href="/docs/plain">The same without script</a></p></noscript>\n    <div id="app"></div>',
    );
}

/** Only this server, and of scripts in the page only those that are in it as it is sent. Styles are made at run time. */
function policyOf(page: string): string {
  const inline = [...page.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)].map(
    ([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`,
  );
  return [
    "default-src 'none'",
    `script-src 'self' ${inline.join(" ")}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
