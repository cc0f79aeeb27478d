import { z } from "zod";

import { ApiVersion } from "./version.ts";

/** What a credential may do, from low to high. */
export const Role = z.enum(["viewer", "member", "admin", "owner"]);
export type Role = z.infer<typeof Role>;

export const Tenant = z.object({ id: z.string(), slug: z.string(), name: z.string(), created_at: z.string() });
export type Tenant = z.infer<typeof Tenant>;

export const CreateTenant = z.strictObject({
  slug: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "1 to 63 lower-case letters, digits and hyphens, the first one no hyphen"),
  name: z.string().trim().min(1).max(200),
});
export type CreateTenant = z.infer<typeof CreateTenant>;

/** A network that is not public and that the operator opened for one tenant's webhooks. */
export const PrivateTarget = z.object({
  block: z.string().meta({ description: "In CIDR form: `10.1.0.0/16`." }),
  granted_by: z.string(),
  created_at: z.string(),
});
export type PrivateTarget = z.infer<typeof PrivateTarget>;

/** All of them together: what is not in the list is closed. */
export const PutPrivateTargets = z.strictObject({ blocks: z.array(z.string().min(1).max(60)).max(100) });

export const PrivateTargets = z.object({ data: z.array(PrivateTarget) });

/** Who asks, as this server understands the credential of the request. */
export const Whoami = z.object({
  tenant: Tenant,
  actor: z.object({
    kind: z.enum(["api_key", "user", "embed", "system"]),
    id: z.string(),
    role: Role,
    /** What a key may be used for; null: all that its role may. */
    scopes: z.array(z.string()).nullable(),
    /** Of an embed token: the end-customer whose calls and campaigns it may see. */
    business_id: z.string().nullable(),
  }),
});
export type Whoami = z.infer<typeof Whoami>;

/** `calls:read`: a resource, as in the path of its routes, or `*`; and `read` (GET) or `write` (everything else). */
export const Scope = z
  .string()
  .regex(/^(?:\*|[a-z][a-z-]*):(?:read|write)$/, "resource:read or resource:write, as calls:read");

/** An API key as it is shown after its creation: the prefix recognises it, nothing reveals it. */
export const ApiKey = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  role: Role,
  scopes: z.array(z.string()).nullable(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  /** The key that was made in its place. */
  replaced_by: z.string().nullable(),
  api_version: ApiVersion,
  created_at: z.string(),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** The one answer that carries the key itself. */
export const CreatedApiKey = ApiKey.extend({ key: z.string() });
export type CreatedApiKey = z.infer<typeof CreatedApiKey>;

/** A new tenant with the key of its owner, which only this answer shows. */
export const CreatedTenant = z.object({ tenant: Tenant, api_key: CreatedApiKey });

export const CreateApiKey = z.strictObject({
  name: z.string().trim().min(1).max(100),
  role: Role.default("member"),
  scopes: z.array(Scope).min(1).max(50).nullable().default(null).meta({
    description: "What it may be used for, within its role: `calls:read`, `*:read`. Null: all that its role may.",
  }),
  expires_at: z.iso.datetime({ offset: true }).nullable().default(null),
});
export const RotateApiKey = z.strictObject({
  overlap_seconds: z
    .number()
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(86_400)
    .meta({ description: "How long the old key goes on counting." }),
});
export type CreateApiKey = z.infer<typeof CreateApiKey>;

/** A person of the tenant as other systems know them: `external_id` is the `sub` of their tokens. */
export const User = z.object({
  id: z.string(),
  external_id: z.string(),
  name: z.string().nullable(),
  created_at: z.string(),
});
export type User = z.infer<typeof User>;

export const CreateUser = z.strictObject({
  external_id: z.string().min(1).max(255),
  name: z.string().trim().min(1).max(200).nullable().default(null),
});
export type CreateUser = z.infer<typeof CreateUser>;
