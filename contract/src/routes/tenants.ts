import { z } from "zod";

import type { Route } from "../api.ts";
import { idOf, listOf, ListQuery } from "../list.ts";
import { ApiKey, CreateApiKey, CreatedApiKey, CreateUser, User, Whoami } from "../tenant.ts";

export const tenantRoutes = {
  whoami: {
    method: "GET",
    path: "/v1/whoami",
    summary: "Say which tenant and role the credential stands for",
    role: "viewer",
    output: Whoami,
  },
  listApiKeys: {
    method: "GET",
    path: "/v1/api-keys",
    summary: "List the API keys of the tenant, newest first",
    role: "admin",
    query: ListQuery,
    output: listOf(ApiKey),
  },
  createApiKey: {
    method: "POST",
    path: "/v1/api-keys",
    summary: "Make an API key; only this answer shows it",
    role: "admin",
    body: CreateApiKey,
    output: CreatedApiKey,
    status: 201,
  },
  revokeApiKey: {
    method: "DELETE",
    path: "/v1/api-keys/:id",
    summary: "Revoke an API key; again changes nothing",
    role: "admin",
    params: z.object({ id: idOf("api_key") }),
    output: ApiKey,
  },
  listUsers: {
    method: "GET",
    path: "/v1/users",
    summary: "List the users of the tenant, newest first",
    role: "member",
    query: ListQuery,
    output: listOf(User),
  },
  createUser: {
    method: "POST",
    path: "/v1/users",
    summary: "Make a user, known by the `sub` of their tokens",
    role: "admin",
    body: CreateUser,
    output: User,
    status: 201,
  },
} as const satisfies Record<string, Route>;
