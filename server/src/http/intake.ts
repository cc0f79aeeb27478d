import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { NotFound } from "#/kernel/errors.ts";
import type { IncomingWebhook, Receive } from "#/providers/incoming.ts";
import type { Answer, Provider, ProviderRequest } from "#/providers/provider.ts";

import { StreamedBody } from "./body.ts";
import { headersOf, targetOf } from "./wire.ts";

export type IntakeOptions = {
  readonly providers: readonly Provider[];
  readonly receive: Receive;
  /** For bodies that are too long to be held, of providers that send such. */
  readonly receiveLarge: (webhook: IncomingWebhook, body: AsyncIterable<Buffer>) => Promise<Answer>;
  /** The provider behind the URL of a source; null when there is no such source. Says what may be sent before it is read. */
  readonly providerOf: (slug: string) => Promise<Provider | null>;
  readonly publicUrl: string;
};

/**
 * The doors of the inbox: every path kept from a given system, and `POST /webhooks/:source`. HTTP settles what needs no
 * secret (size, content type, framing); everything else, the answer's bytes included, is the inbox's and the provider's.
 */
export function registerIntake(app: FastifyInstance, options: IntakeOptions): void {
  for (const provider of options.providers) {
    for (const route of provider.givenRoutes) {
      app.route({
        method: route.method,
        url: route.path,
        onRequest: (request, _reply, done) => {
          expect(request, provider);
          done();
        },
        handler: async (request, reply) => {
          const webhook = {
            route: "given",
            provider: provider.name,
            request: providerRequest(request),
            remoteAddress: request.ip,
          } as const;
          return send(reply, await receive(request, webhook));
        },
      });
    }
  }

  app.route<{ Params: { source: string } }>({
    method: "POST",
    url: "/webhooks/:source",
    onRequest: async (request) => {
      request.facts["source"] = request.params.source;
      const provider = await options.providerOf(request.params.source);
      if (!provider) throw new NotFound("Source");
      expect(request, provider);
    },
    handler: async (request, reply) => {
      const { source } = request.params;
      const webhook = { route: "own", source, request: providerRequest(request), remoteAddress: request.ip } as const;
      return send(reply, await receive(request, webhook));
    },
  });

  function receive({ body }: FastifyRequest, webhook: IncomingWebhook): Promise<Answer> {
    return body instanceof StreamedBody ? options.receiveLarge(webhook, body) : options.receive(webhook);
  }

  function providerRequest(request: FastifyRequest): ProviderRequest {
    return {
      method: request.method,
      // Never from Host or X-Forwarded-*: a signature over the URL is over the one that the provider was given.
      url: options.publicUrl + targetOf(request.raw),
      headers: headersOf(request.raw),
      body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    };
  }
}

function expect(request: FastifyRequest, provider: Provider): void {
  request.facts["provider"] = provider.name;
  const { accepts, bodyBytesMax: bytesMax, large } = provider;
  request.content = { accepts, bytesMax, ...(large && { streamedBytesMax: large.bytesMax }) };
}

/** Exactly the provider's bytes; an answer without a body has no content type either. */
export function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status);
  reply.header("cache-control", "no-store");
  if (answer.headers) reply.headers(answer.headers);
  if (answer.body === "") return reply.send();
  return reply.type(answer.contentType ?? "text/plain; charset=utf-8").send(answer.body);
}
