import type { Signature } from "@aftercall/contract/endpoint.ts";

import { type Header, hexSha256, mac, type Signing } from "./profile.ts";

type SettingsOf<Profile extends Signature["profile"]> = Extract<Signature, { profile: Profile }>;

/** All keys over `t.body`, as Stripe signs. https://docs.stripe.com/webhooks/signature */
export function stripe({ header }: SettingsOf<"stripe">, { timestamp, body, keys }: Signing): Header[] {
  const signatures = keys.map((key) => `v1=${mac(hexSha256, key, `${timestamp}.`, body)}`);
  return [[header, [`t=${timestamp}`, ...signatures].join(",")]];
}

/** The newest key over the body, as GitHub signs. https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries */
export function github({ id, type, body, keys }: Signing): Header[] {
  return [
    ["X-Hub-Signature-256", `sha256=${mac(hexSha256, keys[0], body)}`],
    ["X-GitHub-Event", type],
    ["X-GitHub-Delivery", id],
  ];
}

/** The newest key in a header of the tenant's own. */
export function custom(settings: SettingsOf<"custom">, { timestamp, body, keys }: Signing): Header[] {
  const time = settings.signs === "timestamp.body" ? `${timestamp}.` : "";
  const value = `${settings.prefix}${mac(settings, keys[0], time, body)}`;
  const { timestamp_header: timeHeader } = settings;
  return [[settings.header, value], ...(timeHeader === null ? [] : [[timeHeader, String(timestamp)] as const])];
}
