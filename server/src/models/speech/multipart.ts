import { createHash } from "node:crypto";
import { Readable } from "node:stream";

import type { Sound } from "./sound.ts";

/** A form with a file (RFC 7578) as a stream whose length is known before it is read. */
export function multipart(
  fields: readonly (readonly [name: string, value: string])[],
  sound: Sound,
): { readonly headers: Record<string, string>; readonly body: () => Readable } {
  const boundary = `aftercall-${createHash("sha256").update(JSON.stringify(fields)).digest("hex").slice(0, 32)}`;
  const head = Buffer.from(
    [
      ...fields.map(
        ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      ),
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${sound.name}"\r\nContent-Type: ${sound.mime}\r\n\r\n`,
    ].join(""),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    headers: {
      "content-type": `multipart/form-data; boundary=${boundary}`,
      "content-length": String(head.length + sound.bytes + tail.length),
    },
    body: () => Readable.from(whole(head, sound, tail)),
  };
}

async function* whole(head: Buffer, sound: Sound, tail: Buffer): AsyncGenerator<Buffer> {
  yield head;
  yield* sound.open();
  yield tail;
}
