import { isIP } from "node:net";

import ipaddr from "ipaddr.js";

/** A block of addresses that the operator opened although it is not public. */
export type Cidr = ReturnType<typeof ipaddr.parseCIDR>;

/** `["127.0.0.0/8", "fd00::/8"]`. Throws with the text that is no CIDR. */
export function parseCidrs(texts: readonly string[]): Cidr[] {
  return texts.map((text) => {
    try {
      return ipaddr.parseCIDR(text.trim());
    } catch {
      throw new Error(`Not an address block in CIDR form: ${text}`);
    }
  });
}

/** The network of a block, in the one form it has: `10.1.2.3/8` → `10.0.0.0/8`. Throws as {@link parseCidrs}. */
export function networkOf(text: string): string {
  const [block] = parseCidrs([text]);
  const [address, bits] = block ?? [];
  if (!address) throw new Error(`Not an address block in CIDR form: ${text}`);
  const family = address.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${family.networkAddressFromCIDR(text.trim()).toString()}/${bits}`;
}

/** The same for a block that is written exactly; null for any other text, and where bits stand beside the prefix. */
export function exactBlock(text: string): string | null {
  try {
    const network = networkOf(text);
    return parseCidrs([text])[0]?.[0].toString() === network.split("/")[0] ? network : null;
  } catch {
    return null;
  }
}

/**
 * Whether we may connect to an address: it is public, or inside a block the operator opened. Addresses that hand out
 * credentials of the machine (cloud metadata) are refused whatever is opened.
 */
export function isAllowedAddress(text: string, opened: readonly Cidr[]): boolean {
  const address = parseAddress(text);
  if (address === null || isMetadata(address)) return false;
  return isPublic(address) || opened.some((block) => contains(block, address));
}

type Address = ReturnType<typeof ipaddr.parse>;

/** The address itself, without zone; an IPv4-mapped one as the IPv4 address that would be dialled. */
function parseAddress(text: string): Address | null {
  const bare = text.replace(/%.*$/, "");
  return isIP(bare) === 0 ? null : ipaddr.process(bare);
}

/**
 * IPv4: everything but the blocks of the IANA special-purpose registry. IPv6: only global unicast (2000::/3), and of that
 * nothing the registry sets apart; so loopback, IPv4-compatible, translated (64:ff9b::/96), local and multicast addresses
 * need no mention.
 */
function isPublic(address: Address): boolean {
  if (address.kind() === "ipv4") return !specialIpv4.some((block) => contains(block, address));
  return contains(globalUnicast, address) && !specialIpv6.some((block) => contains(block, address));
}

function isMetadata(address: Address): boolean {
  return metadata.some((block) => contains(block, address));
}

function contains(block: Cidr, address: Address): boolean {
  return block[0].kind() === address.kind() && address.match(block);
}

/** https://www.iana.org/assignments/iana-ipv4-special-registry, with multicast and the old 6to4 relay block. */
const specialIpv4 = parseCidrs([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
]);

const globalUnicast: Cidr = ipaddr.parseCIDR("2000::/3");

/** https://www.iana.org/assignments/iana-ipv6-special-registry, the blocks inside 2000::/3. */
const specialIpv6 = parseCidrs([
  "2001::/23", // protocol assignments: Teredo, benchmarking, ORCHID
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: carries any IPv4 address
  "2620:4f:8000::/48", // AS112
  "3fff::/20", // documentation
]);

/** Machine credentials and instance data; some of these lie in public or carrier ranges. */
const metadata = parseCidrs([
  "169.254.0.0/16", // AWS, GCP, Azure, OpenStack, ECS (169.254.170.2), EKS
  "100.100.100.200/32", // Alibaba
  "168.63.129.16/32", // Azure wire server, a public address
  "192.0.0.192/32", // Oracle
  "fe80::/10",
  "fd00:ec2::/32", // AWS
  "fd20:ce::254/128", // GCP
  "fd00:c1::a9fe:a9fe/128", // Oracle
]);
