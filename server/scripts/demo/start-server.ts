import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What the server logged about one webhook (`IntakeLine` of inbox/receive.ts). */
export type WebhookLine = {
  readonly provider: string;
  readonly result: string;
  readonly verification: string | null;
  readonly status: number;
  readonly verify_ms: number;
  readonly stored_ms: number;
  readonly duration_ms: number;
};

export type DemoServer = {
  readonly url: string;
  /** The secrets that the server made up for itself, by the names of their environment variables. */
  readonly secrets: ReadonlyMap<string, string>;
  /** The server's own line about the next webhook, in the order in which they were answered. */
  nextWebhookLine(): Promise<WebhookLine>;
  /** Lines above `info`, newest last. */
  readonly complaints: readonly string[];
  stop(): Promise<void>;
};

const dataDir = fileURLToPath(new URL("../../../.aftercall/demo", import.meta.url));

/**
 * Starts the real server in a process of its own, on the embedded database, with nothing of the surroundings: a DATABASE_URL
 * or an aftercall.yaml that is there for something else does not count here.
 * @throws Error with the server's own words when it does not start.
 */
export async function startServer(): Promise<DemoServer> {
  try {
    return await start();
  } catch (error) {
    // What an earlier version left there is the demo's own, and worth nothing.
    if (!String(error).includes("Migration")) throw error;
    rmSync(dataDir, { recursive: true });
    return start();
  }
}

async function start(): Promise<DemoServer> {
  mkdirSync(dataDir, { recursive: true });
  const url = `http://127.0.0.1:${await choosePort(4400)}`;
  const child = spawn(process.execPath, [fileURLToPath(new URL("server.ts", import.meta.url))], {
    cwd: dataDir,
    env: {
      ...inherited(["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "USERPROFILE"]),
      PORT: new URL(url).port,
      PUBLIC_URL: url,
      AFTERCALL_DATA_DIR: ".",
      AFTERCALL_PRIVATE_TARGETS: "127.0.0.1/32",
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const log = readLog(child);
  const said: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => said.push(chunk));
  const gone = once(child, "exit");
  const isReady = await Promise.race([ready(url), gone.then(() => false)]);
  if (!isReady) throw new Error(Buffer.concat(said).toString("utf8").trim() || "The server ended without a word");
  return {
    url,
    secrets: readSecrets(path.join(dataDir, "dev.env")),
    ...log,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      await gone;
    },
  };
}

function inherited(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/** The wanted port where it is free, else any. */
async function choosePort(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    const address = probe.address();
    await new Promise((resolve) => probe.close(resolve));
    if (typeof address === "object" && address) return address.port;
  }
  throw new Error("No port is free on 127.0.0.1");
}

async function ready(url: string): Promise<boolean> {
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function readSecrets(file: string): Map<string, string> {
  const lines = readFileSync(file, "utf8").split("\n");
  return new Map(
    lines.flatMap((line) => {
      const at = line.indexOf("=");
      return at > 0 && !line.startsWith("#") ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
    }),
  );
}

/** Sorts the server's log, one JSON object per line, into what the demo shows. */
function readLog(child: ChildProcess): Pick<DemoServer, "nextWebhookLine" | "complaints"> {
  const lines: WebhookLine[] = [];
  const waiting: ((line: WebhookLine) => void)[] = [];
  const complaints: string[] = [];
  if (!child.stdout) throw new Error("The server has no output");
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as WebhookLine & { readonly msg: string; readonly level: string };
    if (line.level !== "info") complaints.push(text);
    if (line.msg !== "webhook") return;
    const first = waiting.shift();
    if (first) first(line);
    else lines.push(line);
  });
  return {
    complaints,
    async nextWebhookLine() {
      return lines.shift() ?? new Promise((resolve) => waiting.push(resolve));
    },
  };
}
