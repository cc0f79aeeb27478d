import type { Actor } from "@aftercall/contract/api.ts";
import type { Import } from "@aftercall/contract/import.ts";
import { importRoutes } from "@aftercall/contract/routes/imports.ts";
import type { FastifyInstance } from "fastify";
import { z } from "zod";

import { Invalid } from "#/kernel/errors.ts";

import { requireAccess } from "./access.ts";
import type { Auth } from "./auth.ts";
import { StreamedBody } from "./body.ts";
import { haveTime, headersOf } from "./wire.ts";

export type ImportOptions = {
  readonly auth: Pick<Auth, "caller">;
  readonly bytesMax: number;
  readonly take: (
    wanted: { tenantId: string; actor: Actor; slug: string | null; isDelivered: boolean },
    body: AsyncIterable<Buffer>,
  ) => Promise<Import>;
};

const Query = z.strictObject({
  source: z.string().max(63).optional(),
  deliver: z.stringbool().default(false),
});

/**
 * `POST /v1/imports`: a file of past calls, one JSON object a line, read as it comes. The answer comes when the whole file was
 * read; `GET /v1/imports` shows the progress meanwhile.
 */
export function registerImport(app: FastifyInstance, { auth, bytesMax, take }: ImportOptions): void {
  app.route({
    method: "POST",
    url: "/v1/imports",
    onRequest: async (request) => {
      request.content = { accepts: ["ndjson"], bytesMax: 0, streamedBytesMax: bytesMax };
      const { tenant, actor } = await auth.caller(headersOf(request.raw).get("authorization") ?? []);
      const from = { address: request.ip, requestId: request.id };
      request.caller = { tenant, actor: { ...actor, from } };
      request.facts["tenant"] = tenant;
      request.facts["actor"] = actor.id;
      requireAccess(actor, { ...importRoutes.listImports, method: "POST" });
      haveTime(request.raw);
    },
    handler: async (request, reply) => {
      const query = Query.safeParse(request.query);
      if (!query.success || !request.caller) {
        throw new Invalid("The query takes source=<slug> and deliver=true or false", []);
      }
      const { tenant: tenantId, actor } = request.caller;
      const { source: slug = null, deliver: isDelivered } = query.data;
      const body = request.body instanceof StreamedBody ? request.body : nothing();
      reply.code(201).header("cache-control", "no-store");
      return reply.send(await take({ tenantId, actor, slug, isDelivered }, body));
    },
  });
}

async function* nothing(): AsyncGenerator<Buffer> {}
