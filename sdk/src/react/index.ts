export { AftercallProvider, useAftercall } from "./provider.tsx";
export { type CallState, type LiveOption, useCall } from "./use-call.ts";
export { type CallOutcomeState, useCallOutcome } from "./use-call-outcome.ts";
export { type CallStream, useCallStream } from "./use-call-stream.ts";
export { type CallsQuery, type CallsState, useCalls } from "./use-calls.ts";
export { type CampaignState, useCampaign } from "./use-campaign.ts";
