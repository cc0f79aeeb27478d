import { Agent, request } from "node:http";
import { connect } from "node:net";

export type Answer = {
  readonly status: number | undefined;
  readonly body: string;
  readonly ms: number;
  /** Why there is no answer. */
  readonly error?: string;
  /** How many answers came on the socket. */
  readonly answers?: number;
  /** When the server closed the socket, in milliseconds from the start; null: not while we looked. */
  readonly closedAt?: number | null;
};

export type Outgoing = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
};

const agent = new Agent({ keepAlive: false, maxSockets: 200 });

/** Sends a request as it is: an HTTP library of more comfort would refuse to send half of these. */
export function send(base: URL, { method, path, headers, body }: Outgoing): Promise<Answer> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const done = (answer: Omit<Answer, "ms">) => resolve({ ...answer, ms: performance.now() - startedAt });
    const all = { ...headers, ...(body && { "content-length": String(body.length) }) };
    try {
      const { hostname: host, port } = base;
      const outgoing = request({ host, port, method, path, headers: all, agent, timeout: 20_000 }, (answer) => {
        const chunks: Buffer[] = [];
        const text = () => Buffer.concat(chunks).toString("utf8");
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => done({ status: answer.statusCode, body: text() }));
        answer.on("error", (error) => done({ status: answer.statusCode, body: text(), error: reasonOf(error) }));
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error("timeout")));
      outgoing.on("error", (error) => done({ status: undefined, body: "", error: reasonOf(error) }));
      outgoing.end(body);
    } catch (error) {
      done({ status: undefined, body: "", error: `client: ${String(error)}` });
    }
  });
}

/** Writes bytes on a socket and gives what came back until the server closed it, or `waitMs` were over. */
export function sendRaw(
  base: URL,
  text: string,
  { waitMs, isSlow }: { waitMs: number; isSlow: boolean },
): Promise<Answer> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const passed = () => performance.now() - startedAt;
    let body = "";
    let closedAt: number | null = null;
    const socket = connect(Number(base.port), base.hostname);
    const timer = setTimeout(finish, waitMs);
    socket.on("data", (chunk) => {
      body += chunk.toString("latin1");
      // A moment longer, for a second answer that should not be there.
      if (!isSlow && body.includes("\r\n\r\n")) setTimeout(finish, 120);
    });
    socket.on("error", () => {
      closedAt ??= passed();
    });
    socket.on("close", () => {
      closedAt ??= passed();
      finish();
    });
    socket.write(Buffer.from(text, "latin1"));

    function finish(): void {
      clearTimeout(timer);
      socket.destroy();
      const statuses = [...body.matchAll(/HTTP\/1\.[01] (\d+)/g)].map((match) => Number(match[1]));
      const error = statuses.length > 0 ? {} : { error: closedAt === null ? "no answer" : "closed" };
      resolve({ status: statuses[0], body, ms: passed(), answers: statuses.length, closedAt, ...error });
    }
  });
}

function reasonOf(error: Error & { code?: string }): string {
  return error.code ?? error.message;
}
