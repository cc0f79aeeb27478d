import type { CallDirection } from "@aftercall/contract/call.ts";
import type { EndpointDirection, EndpointKind } from "@aftercall/contract/endpoint.ts";
import type { UnroutedReason } from "@aftercall/contract/message.ts";

import type { Matcher } from "./filter.ts";

/** What an endpoint wants. Null: all of them. */
export type Subscriber = {
  readonly kind: EndpointKind;
  readonly types: readonly string[];
  readonly direction: EndpointDirection;
  /** UUIDs. */
  readonly campaignIds: ReadonlySet<string> | null;
  readonly channels: ReadonlySet<string> | null;
  readonly filter: Matcher | null;
};

export type MessageKind = {
  readonly type: string;
  readonly kind: EndpointKind;
  /** Whether it is about a call; messages about anything else have no direction. */
  readonly isAboutCall: boolean;
  readonly direction: CallDirection | null;
  readonly campaignId: string | null;
  readonly channels: readonly string[];
  /** The body in the standard format, which filters are asked of; made only when one is. */
  readonly payload: () => unknown;
};

export type Choice<Endpoint> =
  | { readonly endpoints: readonly [Endpoint, ...Endpoint[]]; readonly reason: null }
  | { readonly endpoints: readonly []; readonly reason: UnroutedReason };

/**
 * Which of a tenant's enabled endpoints get a message: those of its kind that want its type, campaign, channel and content.
 * Of these, endpoints for `any` direction get all. Of the others, an inbound call (also a web call, and one of unknown
 * direction) goes to the inbound endpoints, or where none wants it to the generic ones; an outbound call goes to the outbound
 * endpoints only, so that outbound data never reaches an inbound or generic URL. What is not about a call goes to the generic
 * ones.
 */
export function chooseEndpoints<Endpoint extends Subscriber>(
  message: MessageKind,
  endpoints: readonly Endpoint[],
): Choice<Endpoint> {
  const ofKind = endpoints.filter(({ kind }) => kind === message.kind);
  if (ofKind.length === 0) return { endpoints: [], reason: "no_endpoint" };
  const wanting = ofKind.filter((endpoint) => wants(endpoint, message));
  const role = roleFor(message, wanting);
  const [first, ...rest] = wanting.filter(({ direction }) => direction === "any" || direction === role);
  return first === undefined ? { endpoints: [], reason: "filtered" } : { endpoints: [first, ...rest], reason: null };
}

function wants({ types, campaignIds, channels, filter }: Subscriber, message: MessageKind): boolean {
  return (
    types.some((pattern) => matches(pattern, message.type)) &&
    (campaignIds === null || (message.campaignId !== null && campaignIds.has(message.campaignId))) &&
    (channels === null || message.channels.some((channel) => channels.has(channel))) &&
    (filter === null || filter(message.payload()))
  );
}

function roleFor(message: MessageKind, wanting: readonly Subscriber[]): EndpointDirection {
  if (!message.isAboutCall) return "generic";
  if (message.direction === "outbound") return "outbound";
  return wanting.some(({ direction }) => direction === "inbound") ? "inbound" : "generic";
}

function matches(pattern: string, type: string): boolean {
  if (pattern === "*" || pattern === type) return true;
  return pattern.endsWith(".*") && type.startsWith(pattern.slice(0, -1));
}
