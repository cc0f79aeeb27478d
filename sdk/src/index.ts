export { type Client, createClient, type InputOf, type Methods, type OutputOf } from "./client.ts";
export type { Connection, ConnectionOptions, Token } from "./connection.ts";
export type * from "./contract.ts";
export { AftercallError, type FieldError } from "./error.ts";
export { type CallLog, getCallOutcome } from "./outcome.ts";
export type { Lines } from "./lines.ts";
export { type Page, paginate } from "./paginate.ts";
export type { RequestOptions } from "./send.ts";
export { openStream, type StreamItem, type StreamOptions, type StreamStatus, type Topic } from "./stream.ts";
export {
  type Verified,
  verify,
  type VerifyOptions,
  WebhookError,
  type WebhookErrorCode,
  type WebhookEvent,
  type WebhookHeaders,
} from "./verify.ts";
