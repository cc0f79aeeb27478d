import { lookup } from "node:dns/promises";
import { isIP, type Socket } from "node:net";

import { buildConnector } from "undici";

import { isAllowedAddress, type Cidr } from "./addresses.ts";
import { failureOf, HttpFailure } from "./failure.ts";
import { type ForwardProxy, isDirect, openTunnel } from "./proxy.ts";
import { bareHost } from "./target.ts";

/** Every address of a name; throws an error with `code` (`ENOTFOUND`) when there is none. */
export type Resolver = (name: string) => Promise<readonly string[]>;

export const systemResolver: Resolver = async (name) => {
  const found = await lookup(name, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
};

export type GuardOptions = {
  readonly privateTargets: readonly Cidr[];
  readonly resolver: Resolver;
  /** Limit for one connection in milliseconds, TLS included. */
  readonly connectTimeoutMs: number;
  /** Certificates to trust instead of the system's. */
  readonly ca?: string;
  /** The client certificate that is shown to servers that ask, and its key, PEM. */
  readonly certificate?: string;
  readonly privateKey?: string;
  /** Connections that leave the operator's network go through it. */
  readonly proxy?: ForwardProxy;
};

/** Bytes a socket had received when it failed, by its error: tells a stale kept-alive socket from a fresh one. */
export type SocketErrors = WeakMap<Error, { readonly wasUsed: boolean }>;

const addressesTriedMax = 4;

/**
 * Opens connections, and only to addresses that are allowed. It stands inside the connection itself: literals never pass a
 * resolver, and a name that was checked earlier may mean another address now. A name with one bad address is refused as a
 * whole; the vetted address is dialled, while SNI and Host keep the name.
 */
export function createGuardedConnector(options: GuardOptions, socketErrors: SocketErrors): buildConnector.connector {
  const dial = buildConnector({
    timeout: options.connectTimeoutMs,
    allowH2: false,
    ...(options.ca !== undefined && { ca: options.ca }),
    ...(options.certificate !== undefined && { cert: options.certificate }),
    ...(options.privateKey !== undefined && { key: options.privateKey }),
  });

  const { proxy } = options;

  return (target, callback) => {
    void connect(target, callback);
  };

  async function connect(target: buildConnector.Options, callback: buildConnector.Callback): Promise<void> {
    try {
      const socket = await connectTo(target);
      noteErrors(socket, socketErrors);
      callback(null, socket);
    } catch (error) {
      callback(failureOf(error), null);
    }
  }

  async function connectTo(target: buildConnector.Options): Promise<Socket> {
    const name = bareHost(target.hostname);
    const addresses = await vettedAddresses(name, options);
    const servername = target.servername ?? (isIP(name) === 0 ? name : undefined);
    let failed: unknown;
    for (const hostname of addresses.slice(0, addressesTriedMax)) {
      try {
        const to = { ...target, hostname, ...(servername !== undefined && { servername }) };
        // oxlint-disable-next-line no-await-in-loop -- The next address is for when this one fails.
        if (proxy && !isDirect(name, portOf(target), addresses, proxy.noProxy)) return await dialThrough(proxy, to);
        // oxlint-disable-next-line no-await-in-loop -- As above.
        const socket = await dialOne(to);
        if (isAllowedAddress(socket.remoteAddress ?? "", options.privateTargets)) return socket;
        socket.destroy();
        throw blocked();
      } catch (error) {
        failed = error;
      }
    }
    throw failed;
  }

  /** The far end of the socket is the proxy; the address behind it was vetted and is the one that CONNECT names. */
  async function dialThrough(through: ForwardProxy, target: buildConnector.Options): Promise<Socket> {
    const port = Number(portOf(target));
    const tunnel = await openTunnel(through, target.hostname, port, options.connectTimeoutMs);
    if (target.protocol === "https:") return dialOne({ ...target, httpSocket: tunnel });
    return tunnel.setNoDelay(true);
  }

  function dialOne(target: buildConnector.Options): Promise<Socket> {
    return new Promise((resolve, reject) => {
      dial(target, (...[error, socket]) => (error === null ? resolve(socket) : reject(error)));
    });
  }
}

function portOf({ port, protocol }: buildConnector.Options): string {
  return port !== "" ? port : protocol === "https:" ? "443" : "80";
}

async function vettedAddresses(name: string, options: GuardOptions): Promise<readonly string[]> {
  const addresses = isIP(name) > 0 ? [name] : await options.resolver(name);
  if (addresses.length === 0) throw new HttpFailure("dns", "The name has no address");
  if (!addresses.every((address) => isAllowedAddress(address, options.privateTargets))) throw blocked();
  return addresses;
}

function blocked(): HttpFailure {
  return new HttpFailure("blocked_target", "The target has an address that is not public");
}

/** Runs before undici's own listeners, which are added when the callback has the socket. */
function noteErrors(socket: Socket, socketErrors: SocketErrors): void {
  const bytesAtStart = socket.bytesRead;
  socket.on("error", (error) => socketErrors.set(error, { wasUsed: socket.bytesRead > bytesAtStart }));
}
