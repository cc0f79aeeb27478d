import { fromPublicId } from "@aftercall/contract/id.ts";
import { recordingRoutes } from "@aftercall/contract/routes/recordings.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { ByteRange, OpenBlob } from "#/blobs/blobs.ts";
import { BlobMissing, BlobsUnavailable } from "#/blobs/blobs.ts";
import { AppError, NotFound, Unavailable } from "#/kernel/errors.ts";
import type { Linked, Links } from "#/recordings/links.ts";
import { refuseRestricted } from "#/recordings/restricted.ts";
import type { RecordingRow } from "#/recordings/store.ts";

import { requireAccess } from "./access.ts";
import { admit, type AdmitOptions } from "./admit.ts";
import { mayBePart, rangeOf } from "./range.ts";

export type RecordingAudioOptions = AdmitOptions & {
  readonly links: Pick<Links, "read">;
  readonly find: (wanted: Linked) => Promise<RecordingRow | null>;
  /** Null when its bytes are gone. */
  readonly open: (row: RecordingRow, range?: ByteRange) => Promise<OpenBlob | null>;
};

/**
 * The bytes of recordings: `GET /v1/recordings/:id/audio` with a credential, `GET /recordings/:token` by a link. In parts, for
 * players that seek; as a download, for a browser must never take it for a page.
 */
export function registerRecordingAudio(app: FastifyInstance, options: RecordingAudioOptions): void {
  const { links, find } = options;

  app.route<{ Params: { id: string } }>({
    method: ["GET", "HEAD"],
    url: "/v1/recordings/:id/audio",
    handler: async (request, reply) => {
      const { tenant, actor } = await admit(request, reply, options);
      requireAccess(actor, recordingRoutes.getRecording);
      const recordingId = fromPublicId("recording", request.params.id);
      const row = recordingId ? await find({ tenantId: tenant, recordingId }) : null;
      if (row) refuseRestricted(row, actor);
      return serve(request, reply, row);
    },
  });

  app.route<{ Params: { token: string } }>({
    method: ["GET", "HEAD"],
    url: "/recordings/:token",
    handler: async (request, reply) => {
      const linked = links.read(request.params.token);
      if (linked) request.facts["tenant"] = linked.tenantId;
      return serve(request, reply, linked && (await find(linked)));
    },
  });

  async function serve(request: FastifyRequest, reply: FastifyReply, row: RecordingRow | null): Promise<FastifyReply> {
    const content = row ? contentOf(row) : null;
    if (!row || !content) throw new NotFound("Recording");
    const { size, etag } = content;
    const range = mayBePart(request.headers["if-range"], etag)
      ? rangeOf(request.headers.range, size)
      : { kind: "whole" as const };
    if (range.kind === "none") {
      reply.header("content-range", `bytes */${size}`);
      throw new AppError(416, "range_not_satisfiable", `The recording has ${size} bytes`);
    }
    reply.headers({ ...content.headers, etag, "accept-ranges": "bytes", "cache-control": "private, no-cache" });
    if (request.headers["if-none-match"] === etag) return reply.code(304).send();
    const isPart = range.kind === "part";
    if (isPart) reply.code(206).header("content-range", `bytes ${range.from}-${range.to}/${size}`);
    reply.header("content-length", isPart ? range.to - range.from + 1 : size);
    if (request.method === "HEAD") return reply.send();
    const opened = await open(row, isPart ? range : undefined);
    // Nobody listens any more: what is still to come must not be read from the store.
    reply.raw.once("close", () => opened.stream.destroy());
    return reply.send(opened.stream);
  }

  async function open(row: RecordingRow, range: ByteRange | undefined): Promise<OpenBlob> {
    try {
      const opened = await options.open(row, range);
      if (opened) return opened;
    } catch (error) {
      if (error instanceof BlobsUnavailable) throw new Unavailable("The store of recordings does not answer", error);
      if (!(error instanceof BlobMissing)) throw error;
    }
    throw new NotFound("Recording");
  }
}

function contentOf({ state, bytes, sha256, mime, id }: RecordingRow) {
  if (state !== "stored" || bytes === null || sha256 === null) return null;
  const type = mime ?? "application/octet-stream";
  const headers = {
    "content-type": type,
    "content-disposition": `attachment; filename="recording-${id}.${extensions[type] ?? "bin"}"`,
  };
  return { size: bytes, etag: `"${sha256.toString("hex")}"`, headers };
}

const extensions: Readonly<Record<string, string>> = {
  "audio/wav": "wav",
  "audio/mpeg": "mp3",
  "audio/ogg": "ogg",
  "audio/flac": "flac",
  "audio/mp4": "m4a",
  "audio/aac": "aac",
  "audio/webm": "webm",
  "audio/amr": "amr",
};
