import type { CallDirection } from "@aftercall/contract/call.ts";
import type { EndpointDirection } from "@aftercall/contract/endpoint.ts";
import type { UnroutedReason } from "@aftercall/contract/message.ts";

export type Subscriber = { readonly types: readonly string[]; readonly direction: EndpointDirection };

export type MessageKind = {
  readonly type: string;
  /** Whether it is about a call; messages about anything else have no direction. */
  readonly isAboutCall: boolean;
  readonly direction: CallDirection | null;
};

export type Choice<Endpoint> =
  | { readonly endpoints: readonly [Endpoint, ...Endpoint[]]; readonly reason: null }
  | { readonly endpoints: readonly []; readonly reason: UnroutedReason };

/**
 * Which of a tenant's enabled endpoints get a message. Endpoints for `any` direction get every type they name. Of the
 * others, an inbound call (also a web call, and one of unknown direction) goes to the inbound endpoints, or where none wants
 * it to the generic ones; an outbound call goes to the outbound endpoints only, so that outbound data never reaches an
 * inbound or generic URL. What is not about a call goes to the generic ones.
 */
export function chooseEndpoints<Endpoint extends Subscriber>(
  message: MessageKind,
  endpoints: readonly Endpoint[],
): Choice<Endpoint> {
  if (endpoints.length === 0) return { endpoints: [], reason: "no_endpoint" };
  const wanting = endpoints.filter((endpoint) => endpoint.types.some((pattern) => matches(pattern, message.type)));
  const role = roleFor(message, wanting);
  const [first, ...rest] = wanting.filter(({ direction }) => direction === "any" || direction === role);
  return first === undefined ? { endpoints: [], reason: "filtered" } : { endpoints: [first, ...rest], reason: null };
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
