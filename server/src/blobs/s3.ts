import { createReadStream } from "node:fs";

import { AwsV4Signer } from "aws4fetch";

import type { Clock } from "#/kernel/clock.ts";
import { messageOf } from "#/kernel/errors.ts";
import type { GuardedHttp, HttpAnswer } from "#/kernel/net/http.ts";

import { type Blobs, BlobMissing, BlobsUnavailable, checkedKey } from "./blobs.ts";
import type { Spool } from "./spool.ts";

export type S3Options = {
  /** `https://s3.eu-central-1.amazonaws.com`, or wherever MinIO, Ceph or R2 listens. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly http: Pick<GuardedHttp, "request" | "download">;
  /** Networks of the operator's own that the endpoint may be in. */
  readonly privateTargets: readonly string[];
  readonly spool: Spool;
  readonly clock: Clock;
};

/**
 * Blobs as objects of a bucket, by the S3 protocol: path-style addresses, Signature Version 4. What is put is spooled to a file
 * first, so that its length and hash are known and the request can be made again.
 */
export function createS3Blobs(options: S3Options): Blobs {
  const { http, spool, clock, privateTargets } = options;
  const endpoint = options.endpoint.replace(/\/+$/, "");
  const urlOf = (key: string) => `${endpoint}/${options.bucket}/${key.slice(0, 2)}/${checkedKey(key)}`;

  return {
    async put(source, limits) {
      await using spooled = await spool.write(source, limits);
      const { path, sha256, bytes } = spooled;
      const key = sha256.toString("hex");
      const headers = { ...(await sign("PUT", urlOf(key), key)), "content-length": String(bytes) };
      const body = bytes === 0 ? Buffer.alloc(0) : () => createReadStream(path);
      const answer = await asked("PUT", () =>
        http.request({
          ...basics,
          privateTargets,
          url: urlOf(key),
          method: "PUT",
          headers,
          body,
          timeoutMs: limits.timeMsMax,
        }),
      );
      expectSuccess("PUT", answer);
      return { key, sha256, bytes };
    },

    async open(key, range) {
      const url = urlOf(key);
      const headers = {
        ...(await sign("GET", url, emptySha256)),
        ...(range && { range: `bytes=${range.from}-${range.to}` }),
      };
      const answer = await asked("GET", () => http.download({ url, headers, timeoutMs: readMsMax, privateTargets }));
      if (answer.status === 200 || answer.status === 206) {
        const bytes = Number(answer.headers["content-length"] ?? 0);
        return { stream: answer.body, bytes, size: sizeIn(answer.headers["content-range"]) ?? bytes };
      }
      answer.body.on("error", () => {}).destroy();
      if (answer.status === 404) throw new BlobMissing(key);
      throw new BlobsUnavailable(`The object store answered ${answer.status} to a GET`);
    },

    async remove(key) {
      const url = urlOf(key);
      const headers = await sign("DELETE", url, emptySha256);
      const answer = await asked("DELETE", () =>
        http.request({ ...basics, privateTargets, url, method: "DELETE", headers, body: null, timeoutMs: removeMsMax }),
      );
      if (answer.status !== 404) expectSuccess("DELETE", answer);
    },
  };

  async function sign(method: string, url: string, payloadSha256: string): Promise<Record<string, string>> {
    const { accessKeyId, secretAccessKey, region } = options;
    const datetime = new Date(clock.now()).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
    const headers = { "x-amz-content-sha256": payloadSha256 };
    const signed = await new AwsV4Signer({
      method,
      url,
      headers,
      accessKeyId,
      secretAccessKey,
      region,
      service: "s3",
      datetime,
    }).sign();
    return Object.fromEntries(signed.headers);
  }

  async function asked<T>(method: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw new BlobsUnavailable(`The object store did not answer a ${method}: ${messageOf(error)}`, error);
    }
  }
}

const basics = { responseBytesMax: 4_096 } as const;
const readMsMax = 3_600_000;
const removeMsMax = 30_000;
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function expectSuccess(method: string, { status, body }: HttpAnswer): void {
  if (status >= 200 && status < 300) return;
  // The answer is XML that names what is wrong: NoSuchBucket, SignatureDoesNotMatch, …
  const code = /<Code>([A-Za-z]+)<\/Code>/.exec(body.toString("latin1"))?.[1];
  throw new BlobsUnavailable(`The object store answered ${status} to a ${method}${code ? ` (${code})` : ""}`);
}

function sizeIn(contentRange: string | string[] | undefined): number | null {
  const size = typeof contentRange === "string" ? /\/(\d+)$/.exec(contentRange)?.[1] : undefined;
  return size === undefined ? null : Number(size);
}
