import { openApiOf } from "@aftercall/contract/openapi.ts";
import type { FastifyInstance } from "fastify";

import { etagOf } from "./etag.ts";

/** `GET /openapi.json`: the whole API as OpenAPI 3.1, for readers, generators and tests. Drawn when it is first asked for. */
export function registerOpenApi(app: FastifyInstance, { version }: { readonly version: string }): void {
  let drawn: { readonly body: string; readonly etag: string } | undefined;

  app.get("/openapi.json", async (request, reply) => {
    drawn ??= draw(version);
    reply.headers({ etag: drawn.etag, "cache-control": "public, max-age=300", "access-control-allow-origin": "*" });
    if (request.headers["if-none-match"] === drawn.etag) return reply.code(304).send();
    return reply.type("application/vnd.oai.openapi+json;version=3.1; charset=utf-8").send(drawn.body);
  });
}

function draw(version: string) {
  const body = JSON.stringify(openApiOf({ version }));
  return { body, etag: etagOf(body) };
}
