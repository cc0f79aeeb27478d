import { z } from "zod";

/** The word of a source in URLs: `POST /webhooks/<slug>`. Unique on the whole server. */
export const SourceSlug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "1 to 63 of a-z, 0-9, - and _, starting with a letter or digit");

/** `none` accepts unsigned requests and has to be written out. */
export const SourceAuth = z.enum(["required", "none"]);

/** A kind of secret that sources of a provider can hold. */
export const SecretSlotInfo = z.object({
  slot: z.string(),
  title: z.string(),
  env: z.array(z.string()),
  has_key_id: z.boolean(),
});

/** What can call us: enough to draw the form of a source and its setup page. */
export const ProviderInfo = z.object({
  name: z.string(),
  title: z.string(),
  /** JSON Schema of `setup`. */
  setup_schema: z.record(z.string(), z.unknown()),
  secret_slots: z.array(SecretSlotInfo),
  accepts: z.array(z.enum(["json", "form"])),
  body_bytes_max: z.number().int(),
  /** URLs kept from the system this provider's users come from. */
  given_urls: z.array(z.string()),
  /** Form of the URL of a source of its own; `:source` stands for the slug. */
  own_url: z.string(),
});
export type ProviderInfo = z.infer<typeof ProviderInfo>;

/** A secret of a source, never its value: `hint` is its last four characters. */
export const SourceSecret = z.object({
  id: z.string(),
  slot: z.string(),
  key_id: z.string().nullable(),
  hint: z.string(),
  origin: z.enum(["api", "environment"]),
  expires_at: z.string().nullable(),
  created_at: z.string(),
});
export type SourceSecret = z.infer<typeof SourceSecret>;

/** What asking the provider's API for lost webhooks did last. */
export const SourcePull = z.object({
  /**
   * `off`: the address of the API or a name of the key is missing. `refused`: the API takes the secret no more, or its address is
   * not one that this server connects to. `limited`: too many requests. `unreadable`: an answer was no list of calls.
   */
  result: z.enum(["ok", "off", "refused", "limited", "unavailable", "unreadable"]),
  detail: z.string().nullable(),
  polled_at: z.string(),
  next_poll_at: z.string(),
  /** Requests of the last poll. */
  request_count: z.number().int(),
  /** Calls about which the last poll learned something, and all polls together. */
  found_count: z.number().int(),
  found_total: z.number().int(),
});
export type SourcePull = z.infer<typeof SourcePull>;

/** A tenant's connection to a provider. */
export const Source = z.object({
  id: z.string(),
  slug: z.string(),
  provider: z.string(),
  name: z.string(),
  setup: z.record(z.string(), z.unknown()),
  auth: SourceAuth,
  /** Takes part on the paths kept from the given systems, not only on its own URL. */
  on_given_routes: z.boolean(),
  /** Whether an event for a call nobody knows creates the call on the given routes too. */
  given_routes_create: z.boolean(),
  /** Whose calls these are, for the routes that ask by user. */
  user_id: z.string().nullable(),
  is_enabled: z.boolean(),
  own_url: z.string(),
  given_urls: z.array(z.string()),
  /** False: `auth` is required and there is no active secret, so every request is refused. */
  is_ready: z.boolean(),
  secrets: z.array(SourceSecret),
  /** Null where the provider has not been asked. */
  pull: SourcePull.nullable(),
  created_at: z.string(),
  updated_at: z.string(),
});
export type Source = z.infer<typeof Source>;

const SecretValue = z.string().min(8, "at least 8 characters").max(4096);
const KeyId = z.string().min(1).max(255);
const Slot = z.string().min(1).max(64);

export const NewSecret = z.strictObject({ slot: Slot, value: SecretValue, key_id: KeyId.nullable().default(null) });

export const CreateSource = z.strictObject({
  slug: SourceSlug,
  provider: z.string().min(1).max(64),
  name: z.string().trim().min(1).max(200).optional(),
  setup: z.record(z.string(), z.unknown()).default({}),
  auth: SourceAuth.default("required"),
  on_given_routes: z.boolean().default(false),
  given_routes_create: z.boolean().default(false),
  user_id: z.string().max(64).nullable().default(null),
  secrets: z.array(NewSecret).max(8).default([]),
});
export type CreateSource = z.infer<typeof CreateSource>;

/** What is left out stays as it is. */
export const UpdateSource = z.strictObject({
  name: z.string().trim().min(1).max(200).optional(),
  setup: z.record(z.string(), z.unknown()).optional(),
  auth: SourceAuth.optional(),
  on_given_routes: z.boolean().optional(),
  given_routes_create: z.boolean().optional(),
  user_id: z.string().max(64).nullable().optional(),
  is_enabled: z.boolean().optional(),
});
export type UpdateSource = z.infer<typeof UpdateSource>;

/**
 * Rotation: the new secret counts at once, the older ones of the slot go on counting for `overlap_seconds`.
 * Without `value` one is made, and only this answer shows it.
 */
export const RotateSecret = z.strictObject({
  slot: Slot,
  value: SecretValue.optional(),
  key_id: KeyId.nullable().default(null),
  overlap_seconds: z
    .number()
    .int()
    .min(0)
    .max(90 * 86_400)
    .default(86_400),
});
export type RotateSecret = z.infer<typeof RotateSecret>;

export const RotatedSecret = SourceSecret.extend({
  /** Only when this server made the value. */
  value: z.string().nullable(),
});
export type RotatedSecret = z.infer<typeof RotatedSecret>;
