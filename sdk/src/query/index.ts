export { callQueries, campaignQueries } from "./queries.ts";
export { patchCache } from "./patch-cache.ts";
