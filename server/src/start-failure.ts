import { messageOf } from "#/kernel/errors.ts";

/** One line for whoever started the server: what is in the way, and what to do about it. */
export function whyNotStarted(error: unknown): string {
  const { code, syscall, address, port, path, hostname } = detailsOf(error);
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} is in use: stop what uses it, or set PORT to another one`;
    case "EADDRNOTAVAIL":
      return `this machine has no address ${address}: correct AFTERCALL_HOST`;
    case "EACCES":
    case "EPERM":
      if (syscall === "listen") return `port ${port} is not for this user: set PORT to one above 1023`;
      return `${path} is not for this user: change its owner, or set AFTERCALL_DATA_DIR to another directory`;
    case "ENOENT":
    case "ENOTDIR":
    case "EROFS":
      return `${path} cannot be made (${code}): set AFTERCALL_DATA_DIR to a directory that can be written`;
    case "ENOSPC":
      return `the disk is full: make room, or set AFTERCALL_DATA_DIR to a directory on another one`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the database's host ${hostname} is not known (${code}): correct DATABASE_URL`;
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
      return `the database at ${address}:${port} cannot be reached (${code}): start it, or correct DATABASE_URL`;
    case "28P01":
    case "28000":
      return `the database refuses the user of DATABASE_URL: ${messageOf(error)}. Correct its name or password`;
    case "3D000":
      return `the database of DATABASE_URL is not there: ${messageOf(error)}. Create it, or correct the name`;
    case "42501":
      return `the user of DATABASE_URL may not do what a migration needs: ${messageOf(error)}. Make it the owner of the database`;
    default:
      return messageOf(error);
  }
}

/** What a system error says of itself, as text. Of several addresses that were tried, the last one. */
function detailsOf(error: unknown): Readonly<Record<string, string>> {
  const told: unknown = error instanceof AggregateError ? error.errors.at(-1) : error;
  if (!(told instanceof Error)) return {};
  return Object.fromEntries(Object.entries(told).map(([name, value]) => [name, String(value)]));
}
