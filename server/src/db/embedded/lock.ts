import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Holds a directory until released or until this process is gone, however it went. SQLite's lock is used because it is the one
 * that Node carries which the operating system itself takes back from a killed process, on every platform.
 * @throws Error when another process holds it.
 */
export function holdDirectory(directory: string): { release(): void } {
  mkdirSync(directory, { recursive: true });
  const lock = new DatabaseSync(join(directory, "lock"));
  try {
    lock.exec("pragma locking_mode = exclusive; pragma journal_mode = memory; begin exclusive");
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new DirectoryInUse(directory);
  }
  return {
    release() {
      if (lock.isOpen) lock.close();
    },
  };
}

export class DirectoryInUse extends Error {
  constructor(directory: string) {
    super(`Another aftercall is using ${directory}: stop it, or set AFTERCALL_DATA_DIR to another directory`);
    this.name = "DirectoryInUse";
  }
}

const busy = 5; // SQLITE_BUSY

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === busy;
}
