import type { Signature } from "@aftercall/contract/endpoint.ts";

import { type Header, hexSha256, mac, type Signing } from "./profile.ts";

type SettingsOf<Profile extends Signature["profile"]> = Extract<Signature, { profile: Profile }>;

/** https://www.getconvoy.io: the newest key over the body; in the advanced form all keys over `t,body`. */
export function convoy({ header, is_advanced, ...how }: SettingsOf<"convoy">, signing: Signing): Header[] {
  const { id, timestamp, body, keys } = signing;
  const signatures = keys.map((key) => `v1=${mac(how, key, `${timestamp},`, body)}`);
  const value = is_advanced ? [`t=${timestamp}`, ...signatures].join(",") : mac(how, keys[0], body);
  return [
    [header, value],
    ["X-Convoy-Event-ID", id],
  ];
}

/** https://outpost.hookdeck.com: all keys over the body. */
export function outpost({ id, timestamp, type, body, keys }: Signing): Header[] {
  return [
    ["x-outpost-signature", `v0=${keys.map((key) => mac(hexSha256, key, body)).join(",")}`],
    ["x-outpost-event-id", id],
    ["x-outpost-topic", type],
    ["x-outpost-timestamp", new Date(timestamp * 1000).toISOString()],
  ];
}

/** https://hookdeck.com: the two newest keys over the body. */
export function hookdeck({ id, body, keys }: Signing): Header[] {
  const names = ["x-hookdeck-signature", "x-hookdeck-signature-2"];
  const signatures = names.flatMap((name, i): Header[] => {
    const key = keys[i];
    return key ? [[name, mac({ hash: "sha256", encoding: "base64" }, key, body)]] : [];
  });
  return [...signatures, ["x-hookdeck-eventid", id]];
}

/** https://www.hook0.com: the newest key over the time, the named headers with their values, and the body. */
export function hook0({ id, timestamp, type, body, keys }: Signing): Header[] {
  const covered: Header[] = [
    ["x-event-id", id],
    ["x-event-type", type],
  ];
  const names = covered.map(([name]) => name).join(" ");
  const values = covered.map(([, value]) => value).join(".");
  const v1 = mac(hexSha256, keys[0], `${timestamp}.${names}.${values}.`, body);
  return [...covered, ["X-Hook0-Signature", `t=${timestamp},h=${names},v1=${v1}`]];
}
