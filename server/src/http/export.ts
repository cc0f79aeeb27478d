import { Readable } from "node:stream";

import type { Actor } from "@aftercall/contract/api.ts";
import type { FastifyInstance } from "fastify";

import { requireAccess } from "./access.ts";
import type { Auth } from "./auth.ts";
import type { Cursors } from "./cursors.ts";
import { headersOf } from "./wire.ts";

export type ExportOptions = {
  readonly auth: Pick<Auth, "caller">;
  readonly cursors: Cursors;
  readonly lines: (wanted: {
    tenantId: string;
    actor: Actor;
    after: string | null;
    seal: (place: string) => string;
  }) => AsyncIterable<string>;
};

/** `GET /v1/export`: everything that a tenant owns, one JSON object a line; `?after=` with the cursor of a line goes on after it. */
export function registerExport(app: FastifyInstance, { auth, cursors, lines }: ExportOptions): void {
  const path = "/v1/export";
  app.route<{ Querystring: Record<string, unknown> }>({
    method: "GET",
    url: path,
    handler: async (request, reply) => {
      const { tenant, actor } = await auth.caller(headersOf(request.raw).get("authorization") ?? []);
      request.facts["tenant"] = tenant;
      request.facts["actor"] = actor.id;
      requireAccess(actor, { method: "GET", path, role: "admin" });
      const place = { tenant, path, query: {} };
      const { after: given } = request.query;
      const after = typeof given === "string" ? cursors.open(given, place) : null;
      const from = { address: request.ip, requestId: request.id };
      const stream = Readable.from(
        lines({
          ...{ tenantId: tenant, actor: { ...actor, from }, after },
          seal: (text) => cursors.seal(text, place),
        }),
        { highWaterMark: 16 },
      );
      // Nobody listens any more: what is still to come is not read.
      reply.raw.once("close", () => stream.destroy());
      reply.headers({
        "content-type": "application/x-ndjson; charset=utf-8",
        "content-disposition": 'attachment; filename="aftercall.ndjson"',
        "cache-control": "no-store",
      });
      return reply.send(stream);
    },
  });
}
