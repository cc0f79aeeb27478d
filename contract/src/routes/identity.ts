import { z } from "zod";

import type { Route } from "../api.ts";
import { AuditEntry } from "../audit.ts";
import {
  CreateEmbedToken,
  CreateIdentityProvider,
  CreateMember,
  EmbedToken,
  IdentityProvider,
  Member,
  UpdateMember,
} from "../identity.ts";
import { idOf, listOf, ListQuery } from "../list.ts";
import { Role } from "../tenant.ts";

const memberId = z.object({ id: idOf("user") });
const providerId = z.object({ id: idOf("identity_provider") });

export const identityRoutes = {
  listMembers: {
    method: "GET",
    path: "/v1/members",
    summary: "List the members of the tenant, newest first",
    role: "member",
    query: ListQuery.extend({ role: Role.optional() }),
    output: listOf(Member),
  },
  createMember: {
    method: "POST",
    path: "/v1/members",
    summary: "Make somebody a member, in no higher role than your own",
    role: "admin",
    body: CreateMember,
    output: Member,
    status: 201,
  },
  getMember: {
    method: "GET",
    path: "/v1/members/:id",
    summary: "Show a member",
    role: "member",
    params: memberId,
    output: Member,
  },
  updateMember: {
    method: "PATCH",
    path: "/v1/members/:id",
    summary: "Change the name or the role of a member",
    role: "admin",
    params: memberId,
    body: UpdateMember,
    output: Member,
  },
  removeMember: {
    method: "DELETE",
    path: "/v1/members/:id",
    summary: "Take a member out: their tokens count no more at once, what belongs to them stays",
    role: "admin",
    params: memberId,
    output: Member,
  },
  listIdentityProviders: {
    method: "GET",
    path: "/v1/identity-providers",
    summary: "List the systems whose tokens are believed, newest first",
    role: "admin",
    query: ListQuery,
    output: listOf(IdentityProvider),
  },
  createIdentityProvider: {
    method: "POST",
    path: "/v1/identity-providers",
    summary: "Believe the tokens (RS256, ES256) of another system",
    role: "admin",
    body: CreateIdentityProvider,
    output: IdentityProvider,
    status: 201,
  },
  getIdentityProvider: {
    method: "GET",
    path: "/v1/identity-providers/:id",
    summary: "Show a system whose tokens are believed",
    role: "admin",
    params: providerId,
    output: IdentityProvider,
  },
  deleteIdentityProvider: {
    method: "DELETE",
    path: "/v1/identity-providers/:id",
    summary: "Believe its tokens no more",
    role: "admin",
    params: providerId,
    output: IdentityProvider,
  },
  createEmbedToken: {
    method: "POST",
    path: "/v1/embed-tokens",
    summary: "Make a token for the page of one of your end-customers; it ends with the key or person that made it",
    role: "member",
    body: CreateEmbedToken,
    output: EmbedToken,
    status: 201,
  },
  listAudit: {
    method: "GET",
    path: "/v1/audit-log",
    summary: "Read who changed what, newest first",
    role: "admin",
    query: ListQuery.extend({
      subject: z.string().min(1).max(255).optional().meta({ description: "Only what was done to this thing." }),
      action: z.string().min(1).max(100).optional(),
      actor: z.string().min(1).max(255).optional().meta({ description: "Id of a key or user." }),
    }),
    output: listOf(AuditEntry),
  },
} as const satisfies Record<string, Route>;
