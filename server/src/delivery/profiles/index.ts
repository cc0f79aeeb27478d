import type { KeyObject } from "node:crypto";

import type { Signature } from "@aftercall/contract/endpoint.ts";

import { sign, type SigningKey } from "../sign.ts";
import { convoy, hook0, hookdeck, outpost } from "./gateways.ts";
import { custom, github, stripe } from "./plain.ts";
import type { Header, Signing } from "./profile.ts";

export type ToSign = Omit<Signing, "keys"> & {
  /** Newest first. */
  readonly keys: readonly SigningKey[];
  /** What the profile signs with where it is not the keys themselves, newest first. */
  readonly textKeys: readonly KeyObject[];
};

/** The headers that prove to the receiver who sent a request: Standard Webhooks, the endpoint's profile, or both. */
export function signatureHeaders(settings: Signature, toSign: ToSign): Header[] {
  const own = profileHeaders(settings, toSign);
  if (settings.profile !== "standard" && !settings.with_standard) return own;
  return [...standardHeaders("webhook", toSign), ...own];
}

/** Whether the signature covers a time, so that a request that was seen cannot be sent again later. */
export function hasReplayProtection(settings: Signature): boolean {
  switch (settings.profile) {
    case "convoy":
      return settings.is_advanced;
    case "custom":
      return settings.signs === "timestamp.body";
    case "github":
    case "outpost":
    case "hookdeck":
      return false;
    case "standard":
    case "svix":
    case "stripe":
    case "hook0":
      return true;
  }
}

function standardHeaders(prefix: "webhook" | "svix", { id, timestamp, body, keys }: ToSign): Header[] {
  return [
    [`${prefix}-id`, id],
    [`${prefix}-timestamp`, String(timestamp)],
    [`${prefix}-signature`, sign(id, timestamp, body, keys)],
  ];
}

function profileHeaders(settings: Signature, { textKeys, ...toSign }: ToSign): Header[] {
  if (settings.profile === "standard") return [];
  if (settings.profile === "svix") return standardHeaders("svix", { ...toSign, textKeys });
  const [first, ...rest] = textKeys;
  // Only Ed25519 keys: these systems know none, and their receivers refuse what is not signed.
  if (first === undefined) return [];
  const signing: Signing = { ...toSign, keys: [first, ...rest] };
  switch (settings.profile) {
    case "stripe":
      return stripe(settings, signing);
    case "github":
      return github(signing);
    case "convoy":
      return convoy(settings, signing);
    case "outpost":
      return outpost(signing);
    case "hookdeck":
      return hookdeck(signing);
    case "hook0":
      return hook0(signing);
    case "custom":
      return custom(settings, signing);
  }
}
