import { z } from "zod";

import { Role, User } from "./tenant.ts";

/** A user of the tenant who may use its API themselves: with a token of theirs they act in this role. */
export const Member = User.extend({ role: Role });
export type Member = z.infer<typeof Member>;

/** Makes somebody a member, whether they are a user already or not. */
export const CreateMember = z.strictObject({
  external_id: z.string().min(1).max(255).meta({ description: "The `sub` of their tokens." }),
  name: z.string().trim().min(1).max(200).nullable().optional(),
  role: Role,
});
export const UpdateMember = z.strictObject({
  name: z.string().trim().min(1).max(200).nullable().optional(),
  role: Role.optional(),
});

/** A system whose tokens (RS256, ES256) this tenant believes. Its keys are fetched from `jwks_url`. */
export const IdentityProvider = z.object({
  id: z.string(),
  name: z.string(),
  issuer: z.string().meta({ description: "What `iss` of its tokens says, exactly." }),
  audience: z.string().nullable().meta({ description: "What `aud` of its tokens must name; null: anything." }),
  jwks_url: z.string(),
  created_at: z.string(),
});
export type IdentityProvider = z.infer<typeof IdentityProvider>;

export const CreateIdentityProvider = z.strictObject({
  name: z.string().trim().min(1).max(100),
  issuer: z.string().min(1).max(500),
  audience: z.string().min(1).max(500).nullable().default(null),
  jwks_url: z.string().min(1).max(2_048),
});

export const CreateEmbedToken = z.strictObject({
  business_id: z
    .string()
    .min(1)
    .max(1_000)
    .meta({ description: "Your own end-customer: the `business_id` of calls and campaigns that may be read." }),
  expires_in_seconds: z.number().int().min(60).max(86_400).default(900),
});

/** A cookie of a browser, for `GET /v1/stream`. */
export const Session = z.object({ expires_at: z.string() });
export type Session = z.infer<typeof Session>;

/** A token for the page of one end-customer. It reads their calls and campaigns, also live, and nothing else. */
export const EmbedToken = z.object({ token: z.string(), business_id: z.string(), expires_at: z.string() });
export type EmbedToken = z.infer<typeof EmbedToken>;
