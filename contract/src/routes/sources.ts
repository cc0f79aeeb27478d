import { z } from "zod";

import type { Route } from "../api.ts";
import { idOf, listOf, ListQuery } from "../list.ts";
import {
  CreateSource,
  NewSecret,
  ProviderInfo,
  RotatedSecret,
  RotateSecret,
  Source,
  SourceSecret,
  UpdateSource,
} from "../source.ts";

const sourceId = z.object({ id: idOf("source") });
const secretId = z.object({ id: idOf("source"), secret_id: idOf("source_secret") });

export const sourceRoutes = {
  listProviders: {
    method: "GET",
    path: "/v1/providers",
    summary: "List the providers with the JSON Schema of their setup, their secrets and URLs",
    role: "viewer",
    output: z.object({ data: z.array(ProviderInfo) }),
  },
  listSources: {
    method: "GET",
    path: "/v1/sources",
    summary: "List the sources of the tenant, newest first, with what asking their provider's API did last",
    role: "viewer",
    query: ListQuery,
    output: listOf(Source),
  },
  createSource: {
    method: "POST",
    path: "/v1/sources",
    summary: "Connect a provider under a URL of its own",
    role: "admin",
    body: CreateSource,
    output: Source,
    status: 201,
  },
  pullSource: {
    method: "POST",
    path: "/v1/sources/:id/pull",
    summary: "Ask the source's provider now for calls whose webhooks did not come",
    role: "member",
    params: sourceId,
    output: z.object({ source_id: z.string() }),
    status: 202,
  },
  getSource: {
    method: "GET",
    path: "/v1/sources/:id",
    summary: "Get a source",
    role: "viewer",
    params: sourceId,
    output: Source,
  },
  updateSource: {
    method: "PATCH",
    path: "/v1/sources/:id",
    summary: "Change what is given; setup is replaced as a whole",
    role: "admin",
    params: sourceId,
    body: UpdateSource,
    output: Source,
  },
  deleteSource: {
    method: "DELETE",
    path: "/v1/sources/:id",
    summary: "Remove a source that never received an event; disable one that did",
    role: "admin",
    params: sourceId,
    output: z.null(),
    status: 204,
    canConflict: true,
  },
  listSourceSecrets: {
    method: "GET",
    path: "/v1/sources/:id/secrets",
    summary: "List the secrets of a source, without their values",
    role: "admin",
    params: sourceId,
    output: z.object({ data: z.array(SourceSecret) }),
  },
  addSourceSecret: {
    method: "POST",
    path: "/v1/sources/:id/secrets",
    summary: "Add a second secret of a slot; two may be active at once",
    role: "admin",
    params: sourceId,
    body: NewSecret,
    output: SourceSecret,
    status: 201,
  },
  rotateSourceSecret: {
    method: "POST",
    path: "/v1/sources/:id/secrets/rotate",
    summary: "Put a new secret in place and let the older one of its slot run out",
    role: "admin",
    params: sourceId,
    body: RotateSecret,
    output: RotatedSecret,
    status: 201,
  },
  deleteSourceSecret: {
    method: "DELETE",
    path: "/v1/sources/:id/secrets/:secret_id",
    summary: "Remove a secret at once",
    role: "admin",
    params: secretId,
    output: z.null(),
    status: 204,
  },
} as const satisfies Record<string, Route>;
