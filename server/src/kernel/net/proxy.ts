import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type Socket } from "node:net";

import ipaddr from "ipaddr.js";

import { HttpFailure } from "./failure.ts";

/** The proxy that leads out of the operator's network. */
export type ForwardProxy = {
  /** `http://` or `https://`, with user and password where it asks for them. */
  readonly url: string;
  /** Names (with what is below them), addresses and CIDR blocks that are dialled directly; `*` for all. */
  readonly noProxy: readonly string[];
};

/** Whether a target is dialled directly. Loopback always is: the proxy's own is another machine. */
export function isDirect(
  name: string,
  port: string,
  addresses: readonly string[],
  noProxy: readonly string[],
): boolean {
  if (addresses.every(isLoopback)) return true;
  return noProxy.some((entry) => {
    const [, host = "", wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry.trim().toLowerCase()) ?? [];
    if (isIP(entry) === 0 && wantedPort !== undefined && !host.includes(":")) {
      return wantedPort === port && meets(name, addresses, host);
    }
    return meets(name, addresses, entry.trim().toLowerCase());
  });
}

function meets(name: string, addresses: readonly string[], entry: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return addresses.some((address) => isInside(address, entry));
  if (isIP(entry) > 0) return addresses.includes(entry);
  const suffix = entry.replace(/^\*?\./, "");
  const lower = name.toLowerCase();
  return suffix !== "" && ((!entry.startsWith(".") && lower === suffix) || lower.endsWith(`.${suffix}`));
}

function isInside(address: string, block: string): boolean {
  if (isIP(address) === 0 || !ipaddr.isValidCIDR(block)) return false;
  const [one, cidr] = [ipaddr.process(address), ipaddr.parseCIDR(block)];
  return one.kind() === cidr[0].kind() && one.match(cidr);
}

function isLoopback(address: string): boolean {
  return isIP(address) > 0 && ipaddr.process(address).range() === "loopback";
}

/**
 * A connection through the proxy to an address that the guard has vetted: CONNECT names the address and not the name, so that
 * the proxy cannot resolve it to another one.
 * @throws HttpFailure `connect` when the proxy refuses, `timeout` when it says nothing.
 */
export function openTunnel(proxy: ForwardProxy, address: string, port: number, timeoutMs: number): Promise<Socket> {
  const url = new URL(proxy.url);
  const target = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const { username, password } = url;
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const basic = username === "" ? {} : { "proxy-authorization": `Basic ${Buffer.from(user).toString("base64")}` };
  return new Promise((resolve, reject) => {
    const connect = url.protocol === "https:" ? requestHttps : requestHttp;
    const request = connect({
      host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: url.port,
      method: "CONNECT",
      path: target,
      headers: { host: target, ...basic },
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    });
    request.once("connect", ({ statusCode = 0 }, socket, head) => {
      if (statusCode >= 200 && statusCode < 300) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new HttpFailure("connect", `The proxy refused the connection with ${statusCode}`));
    });
    request.once("response", ({ statusCode }) => {
      request.destroy();
      reject(new HttpFailure("connect", `The proxy answered CONNECT with ${statusCode}`));
    });
    request.once("error", (error) => {
      const isLate = error.name === "TimeoutError" || error.name === "AbortError";
      reject(
        isLate
          ? new HttpFailure("timeout", "The proxy did not answer in time", error)
          : new HttpFailure("connect", `The proxy cannot be reached: ${error.message}`, error),
      );
    });
    request.end();
  });
}
