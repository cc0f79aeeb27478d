import { z } from "zod";

import { HeaderName, HeaderValue } from "./headers.ts";

const Text = z.string().regex(/^[\x20-\x7e]{1,1000}$/, "1 to 1000 visible characters");
const Pem = z.string().min(1).max(32_768);

/** How we prove to the receiver who we are. Stored sealed; secrets are never shown again. */
export const EndpointAuth = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("basic"),
    username: Text.refine((name) => !name.includes(":"), "A user name has no colon"),
    password: Text,
  }),
  z.strictObject({
    type: z.literal("bearer"),
    token: z.string().regex(/^[\x21-\x7e]{1,4000}$/, "Visible characters without spaces"),
  }),
  z.strictObject({ type: z.literal("api_key"), header: HeaderName, value: HeaderValue }),
  /** OAuth 2.0 client credentials (RFC 6749 §4.4): a token is fetched, kept until it expires and fetched again. */
  z.strictObject({
    type: z.literal("oauth2"),
    token_url: z.string().min(1).max(2048),
    client_id: Text,
    client_secret: Text,
    scope: Text.nullable().default(null),
    audience: Text.nullable().default(null),
    /** Where the id and secret are sent: in the Authorization header, or in the form. */
    client_auth: z.enum(["header", "body"]).default("header"),
  }),
  /** A client certificate (PEM, the chain after it) and its unencrypted key; `ca` trusts these for the receiver's own. */
  z.strictObject({
    type: z.literal("mtls"),
    certificate: Pem,
    private_key: Pem,
    ca: Pem.nullable().default(null),
  }),
]);
export type EndpointAuth = z.output<typeof EndpointAuth>;

/** The same without its secrets. */
export const ShownEndpointAuth = z.discriminatedUnion("type", [
  z.object({ type: z.literal("basic"), username: z.string() }),
  z.object({ type: z.literal("bearer") }),
  z.object({ type: z.literal("api_key"), header: z.string() }),
  z.object({
    type: z.literal("oauth2"),
    token_url: z.string(),
    client_id: z.string(),
    scope: z.string().nullable(),
    audience: z.string().nullable(),
    client_auth: z.enum(["header", "body"]),
  }),
  z.object({ type: z.literal("mtls"), subject: z.string(), expires_at: z.string(), has_ca: z.boolean() }),
]);
export type ShownEndpointAuth = z.output<typeof ShownEndpointAuth>;
