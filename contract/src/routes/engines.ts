import { z } from "zod";

import type { Route } from "../api.ts";
import { Costs, CostsQuery, EngineTest, EngineView, PutLanguageEngine, PutSpeechEngine } from "../engine-settings.ts";

export const engineRoutes = {
  getLanguageEngine: {
    method: "GET",
    path: "/v1/engines/language",
    summary: "Say which language model reads the tenant's calls",
    role: "member",
    output: EngineView,
  },
  putLanguageEngine: {
    method: "PUT",
    path: "/v1/engines/language",
    summary: "Set the language model that reads the tenant's calls; its key is never shown again",
    role: "admin",
    body: PutLanguageEngine,
    output: EngineView,
  },
  deleteLanguageEngine: {
    method: "DELETE",
    path: "/v1/engines/language",
    summary: "Go back to the installation's language model, or to none",
    role: "admin",
    output: EngineView,
  },
  testLanguageEngine: {
    method: "POST",
    path: "/v1/engines/language/test",
    summary: "Make one tiny request to the language model and say what came back",
    role: "admin",
    body: z.strictObject({}).optional(),
    output: EngineTest,
  },
  getSpeechEngine: {
    method: "GET",
    path: "/v1/engines/speech",
    summary: "Say which engine turns the tenant's recordings into text",
    role: "member",
    output: EngineView,
  },
  putSpeechEngine: {
    method: "PUT",
    path: "/v1/engines/speech",
    summary: "Set the engine that turns the tenant's recordings into text; its key is never shown again",
    role: "admin",
    body: PutSpeechEngine,
    output: EngineView,
  },
  deleteSpeechEngine: {
    method: "DELETE",
    path: "/v1/engines/speech",
    summary: "Go back to the installation's speech engine, or to none",
    role: "admin",
    output: EngineView,
  },
  testSpeechEngine: {
    method: "POST",
    path: "/v1/engines/speech/test",
    summary: "Have the speech engine transcribe one second of sound and say what came back",
    role: "admin",
    body: z.strictObject({}).optional(),
    output: EngineTest,
  },
  getCosts: {
    method: "GET",
    path: "/v1/costs",
    summary: "Say what engines consumed and cost, by day, step and model",
    role: "member",
    query: CostsQuery,
    output: Costs,
  },
} as const satisfies Record<string, Route>;
