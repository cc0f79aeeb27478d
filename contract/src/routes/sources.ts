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
    summary: "Every provider with the JSON Schema of its setup, its secrets and its URLs.",
    role: "viewer",
    output: z.object({ data: z.array(ProviderInfo) }),
  },
  listSources: {
    method: "GET",
    path: "/v1/sources",
    summary: "The sources of the tenant, newest first.",
    role: "viewer",
    query: ListQuery,
    output: listOf(Source),
  },
  createSource: {
    method: "POST",
    path: "/v1/sources",
    summary: "Connects a provider under a URL of its own.",
    role: "admin",
    body: CreateSource,
    output: Source,
    status: 201,
  },
  getSource: {
    method: "GET",
    path: "/v1/sources/:id",
    summary: "One source.",
    role: "viewer",
    params: sourceId,
    output: Source,
  },
  updateSource: {
    method: "PATCH",
    path: "/v1/sources/:id",
    summary: "Changes what is given and leaves the rest.",
    role: "admin",
    params: sourceId,
    body: UpdateSource,
    output: Source,
  },
  deleteSource: {
    method: "DELETE",
    path: "/v1/sources/:id",
    summary: "Removes a source that never received an event; one that did can be disabled.",
    role: "admin",
    params: sourceId,
    output: z.null(),
    status: 204,
  },
  listSourceSecrets: {
    method: "GET",
    path: "/v1/sources/:id/secrets",
    summary: "The secrets of a source, without their values.",
    role: "admin",
    params: sourceId,
    output: z.object({ data: z.array(SourceSecret) }),
  },
  addSourceSecret: {
    method: "POST",
    path: "/v1/sources/:id/secrets",
    summary: "Adds a second secret of a slot; two may be active at once.",
    role: "admin",
    params: sourceId,
    body: NewSecret,
    output: SourceSecret,
    status: 201,
  },
  rotateSourceSecret: {
    method: "POST",
    path: "/v1/sources/:id/secrets/rotate",
    summary: "Puts a new secret in place and lets the older one of the slot run out.",
    role: "admin",
    params: sourceId,
    body: RotateSecret,
    output: RotatedSecret,
    status: 201,
  },
  deleteSourceSecret: {
    method: "DELETE",
    path: "/v1/sources/:id/secrets/:secret_id",
    summary: "Removes a secret at once.",
    role: "admin",
    params: secretId,
    output: z.null(),
    status: 204,
  },
} as const satisfies Record<string, Route>;
