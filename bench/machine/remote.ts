import { type ChildProcess, fork } from "node:child_process";

/** A process that is asked questions by name. */
export type Remote<Handlers> = {
  readonly pid: number;
  call<Name extends keyof Handlers & string>(
    name: Name,
    ...input: Parameters<Extract<Handlers[Name], (...input: never[]) => unknown>>
  ): Promise<Awaited<ReturnType<Extract<Handlers[Name], (...input: never[]) => unknown>>>>;
  stop(): Promise<void>;
};

type Question = { readonly id: number; readonly name: string; readonly input: unknown };
type Reply = { readonly id: number; readonly output?: unknown; readonly error?: string };

/** Starts `file`, which must call {@link serve} with the same handlers. */
export function startRemote<Handlers>(file: string): Remote<Handlers> {
  const child = fork(file, { serialization: "advanced", execArgv: ["--max-old-space-size=3000"] });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  child.on("message", (message) => {
    const reply = message as Reply;
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error === undefined) asked?.resolve(reply.output);
    else asked?.reject(new Error(reply.error));
  });
  child.on("exit", (code) => {
    for (const asked of waiting.values()) asked.reject(new Error(`${file} ended with ${code}`));
    waiting.clear();
  });
  return {
    pid: child.pid ?? 0,
    call(name, ...[input]) {
      const asked = Promise.withResolvers<unknown>();
      waiting.set(++lastId, asked);
      child.send({ id: lastId, name, input } satisfies Question);
      // Both sides name the same type of handlers, so what comes back is what the handler gives.
      return asked.promise as never;
    },
    stop: () => endOf(child),
  };
}

/** Answers questions of the parent process, one after the other or at once. */
export function serve(handlers: Readonly<Record<string, (input: never) => unknown>>): void {
  process.on("message", (message) => {
    const { id, name, input } = message as Question;
    void Promise.resolve()
      .then(() => handlers[name]?.(input as never))
      .then(
        (output) => process.send?.({ id, output } satisfies Reply),
        (error: unknown) => process.send?.({ id, error: String(error) } satisfies Reply),
      );
  });
  process.on("disconnect", () => process.exit(0));
}

/** Asks a process to end and waits until it has; after ten seconds it is not asked any more. */
export function endOf(child: ChildProcess, graceMs = 10_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
