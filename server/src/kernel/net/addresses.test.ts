import { expect, test } from "vitest";

import { isAllowedAddress, parseCidrs } from "./addresses.ts";

const loopback = parseCidrs(["127.0.0.0/8", "::1/128"]);
const everything = parseCidrs(["0.0.0.0/0", "::/0"]);

test.each([
  // The IANA IPv4 special-purpose registry, first and last address of each block.
  ["0.0.0.0", "0.255.255.255"],
  ["10.0.0.0", "10.255.255.255"],
  ["100.64.0.0", "100.127.255.255"],
  ["127.0.0.0", "127.255.255.255"],
  ["169.254.0.0", "169.254.255.255"],
  ["172.16.0.0", "172.31.255.255"],
  ["192.0.0.0", "192.0.0.255"],
  ["192.0.2.0", "192.0.2.255"],
  ["192.31.196.0", "192.31.196.255"],
  ["192.52.193.0", "192.52.193.255"],
  ["192.88.99.0", "192.88.99.255"],
  ["192.168.0.0", "192.168.255.255"],
  ["192.175.48.0", "192.175.48.255"],
  ["198.18.0.0", "198.19.255.255"],
  ["198.51.100.0", "198.51.100.255"],
  ["203.0.113.0", "203.0.113.255"],
  ["224.0.0.0", "239.255.255.255"],
  ["240.0.0.0", "255.255.255.255"],
  // The IANA IPv6 special-purpose registry and what is not global unicast.
  ["::", "::1"],
  ["::7f00:1", "::a9fe:a9fe"],
  ["::ffff:127.0.0.1", "::ffff:a00:1"],
  ["64:ff9b::", "64:ff9b::a9fe:a9fe"],
  ["64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"],
  ["100::", "100::ffff:ffff:ffff:ffff"],
  ["2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1"],
  ["2001:10::1", "2001:20::1"],
  ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["2002::", "2002:7f00:1::"],
  ["2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"],
  ["3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["fe80::1", "fe80::1%eth0"],
  ["fec0::1", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["ff00::", "ff02::1"],
])("an address that is not globally reachable is refused: %s to %s", (first, last) => {
  expect(isAllowedAddress(first, [])).toBe(false);
  expect(isAllowedAddress(last, [])).toBe(false);
});

test.each([
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "128.0.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2001:200::1",
  "2001:4860:4860::8888",
  "2606:4700:4700::1111",
  "2a00:1450:4001::200e",
  "::ffff:8.8.8.8",
])("a public address is allowed: %s", (address) => {
  expect(isAllowedAddress(address, [])).toBe(true);
});

test.each([
  "169.254.169.254",
  "169.254.170.2",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "::ffff:169.254.169.254",
  "::ffff:168.63.129.16",
  "fd00:ec2::254",
  "fd20:ce::254",
  "fe80::a9fe:a9fe",
])("machine credentials stay out of reach whatever the operator opens: %s", (address) => {
  expect(isAllowedAddress(address, everything)).toBe(false);
});

test("a block the operator opens is allowed, and nothing beside it", () => {
  expect(isAllowedAddress("127.0.0.1", loopback)).toBe(true);
  expect(isAllowedAddress("::ffff:127.9.9.9", loopback)).toBe(true);
  expect(isAllowedAddress("::1", loopback)).toBe(true);
  expect(isAllowedAddress("10.0.0.1", loopback)).toBe(false);
  expect(isAllowedAddress("::2", loopback)).toBe(false);
});

test.each(["", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "1.1.1.1 ", "example.com"])(
  "what is not an address in canonical form is refused: %j",
  (text) => {
    expect(isAllowedAddress(text, everything)).toBe(false);
  },
);

test("a block that is not in CIDR form is named", () => {
  expect(() => parseCidrs(["10.0.0.0/8", "ten"])).toThrow("Not an address block in CIDR form: ten");
});
