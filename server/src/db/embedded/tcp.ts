import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** Windows: PostgreSQL's Unix sockets cannot be used from Node there, so it listens on loopback and wants a password. */
export const isOnTcp: boolean = process.platform === "win32";

/** The password of this cluster, made at first use, in a file that only its owner reads. */
export function ensurePassword(dataDir: string): { file: string; password: string } {
  const file = join(dataDir, "postgres.password");
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString("base64url"), { mode: 0o600 });
  return { file, password: readFileSync(file, "utf8") };
}

/** A port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 5432;
}
