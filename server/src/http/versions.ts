import { apiVersion, apiVersionHeader, apiVersions } from "@aftercall/contract/version.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { AppError } from "#/kernel/errors.ts";

import { headersOf, pathOf } from "./wire.ts";

/** Every answer of /v1 says which shape it has, and no request is answered in another one than it asks for. */
export function registerVersions(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    if (!pathOf(request.raw).startsWith("/v1/")) return done();
    reply.header(header, apiVersion);
    done(isKnown(askedFor(request) ?? apiVersion) ? undefined : new UnknownVersion());
  });
}

/** The shape that a request is answered in: the one it asks for, else that of its key. */
export function speakVersion(request: FastifyRequest, reply: FastifyReply, pinned: string | undefined): void {
  const wanted = askedFor(request) ?? pinned;
  if (wanted !== undefined && isKnown(wanted)) reply.header(header, wanted);
}

const header = apiVersionHeader.toLowerCase();

function askedFor(request: FastifyRequest): string | undefined {
  return headersOf(request.raw).get(header)?.join(", ");
}

function isKnown(version: string): boolean {
  return apiVersions.some((known) => known === version);
}

class UnknownVersion extends AppError {
  constructor() {
    const known = apiVersions.join(", ");
    super(400, "unknown_version", `This server speaks no such version of /v1; it speaks ${known}`, {
      errors: [{ pointer: apiVersionHeader, detail: `Send one of ${known}, or leave the header out` }],
    });
  }
}
