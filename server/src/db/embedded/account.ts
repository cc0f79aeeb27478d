import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";

/** The operating-system user that PostgreSQL runs as. */
export type Account = { readonly uid: number; readonly gid: number };

/**
 * PostgreSQL refuses to run as root. Started by root, it runs as the owner of the data if there is one, else as `nobody`;
 * started by anybody else, it runs as they are (null).
 * @throws Error when the data belongs to somebody else and we may not become them.
 */
export function accountFor(dataDir: string): Account | null {
  const self = process.getuid?.();
  if (self === undefined) return null;
  const owner = statSync(dataDir, { throwIfNoEntry: false });
  if (self === 0) return permitted(owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : nobody());
  if (owner && owner.uid !== self) {
    throw new Error(
      `The database in ${dataDir} belongs to user ${owner.uid} and this process is user ${self}: ` +
        `run as that user or as root, or set AFTERCALL_DATA_DIR to another directory`,
    );
  }
  return null;
}

/** Root in a container may have lost the right to become anybody else. */
function permitted(account: Account): Account {
  const tried = spawnSync("true", { ...account, cwd: "/" });
  if (tried.error && "code" in tried.error && (tried.error.code === "EPERM" || tried.error.code === "EINVAL")) {
    throw new Error(
      "PostgreSQL refuses to run as root, and this process is root without the right to start a program as another user: " +
        "run it as an ordinary user, or set DATABASE_URL",
    );
  }
  return account;
}

function nobody(): Account {
  const line = /^nobody:[^:]*:(\d+):(\d+):/m.exec(passwd());
  return { uid: Number(line?.[1] ?? 65_534), gid: Number(line?.[2] ?? 65_534) };
}

function passwd(): string {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch {
    return "";
  }
}
