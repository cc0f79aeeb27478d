import { Readable } from "node:stream";

import type { FastifyReply } from "fastify";

/** Answers with a text on each line, written as fast as it is read. What nobody reads any more is not asked for. */
export function sendLines(
  reply: FastifyReply,
  items: AsyncIterable<unknown>,
  lineOf: (item: unknown) => string,
): FastifyReply {
  async function* lines(): AsyncGenerator<string> {
    for await (const item of items) yield `${lineOf(item)}\n`;
  }
  const stream = Readable.from(lines(), { highWaterMark: 16 });
  reply.raw.once("close", () => stream.destroy());
  reply.headers({
    "content-type": "application/x-ndjson; charset=utf-8",
    "content-disposition": 'attachment; filename="aftercall.ndjson"',
    "cache-control": "no-store",
  });
  return reply.send(stream);
}
