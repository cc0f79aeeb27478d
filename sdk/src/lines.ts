import { AftercallError } from "./error.ts";

/**
 * A file with a JSON object on each line. A text or a Blob can be sent again when there was no answer (`openAsBlob` of `node:fs`
 * makes one of a file of any size); a stream goes out once, and from browsers over HTTP/2 only.
 */
export type Lines = string | Blob | ReadableStream<Uint8Array>;

/** The objects of an answer, as they come. @throws AftercallError when it breaks off */
export async function* objectsIn({ body, status }: Response): AsyncGenerator<unknown, void, undefined> {
  const texts = body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const read = await texts?.read();
      if (!read || read.done) return;
      const lines = (rest + read.value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line);
    }
  } catch (cause) {
    throw new AftercallError({ status, code: "network", detail: "The answer broke off", cause });
  } finally {
    void texts?.cancel().catch(() => {});
  }
}
