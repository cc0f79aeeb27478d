import type { Call, Transcript } from "@aftercall/contract/call.ts";
import type { Campaign } from "@aftercall/contract/campaign.ts";
import type { BaseFormat, EndpointPayload } from "@aftercall/contract/endpoint/words.ts";

/** What a message says, before it has a form. */
export type Fact = {
  /** Public id of the message: the `webhook-id`. */
  readonly messageId: string;
  /** Public id of the tenant. */
  readonly tenantId: string;
  readonly type: string;
  /** When it happened, epoch milliseconds: the same in every attempt and every replay. */
  readonly occurredAtMs: number;
  /** The tenant's own number for itself, as the flat format shows it. */
  readonly businessId: string;
  readonly about:
    | {
        readonly kind: "call";
        readonly call: Call;
        readonly transcript: Transcript | null;
        /** The whole of what is said; without it, call and transcript. */
        readonly data?: Readonly<Record<string, unknown>>;
      }
    | { readonly kind: "campaign"; readonly campaign: Campaign }
    /** Neither: what a tenant publishes. */
    | { readonly kind: "data"; readonly data: Readonly<Record<string, unknown>> };
};

/** A way to write a fact as the bytes that are sent and kept. */
export type Format = {
  readonly contentType: string;
  render(fact: Fact, payload: EndpointPayload): Buffer;
};

/** What of a request is the message. */
export type Content = {
  readonly body: Buffer;
  readonly contentType: string;
  /** Beside the content type. */
  readonly headers: Readonly<Record<string, string>>;
};

/** What the bytes of a message are kept under: one for each format and payload that an endpoint wants. */
export type BodyForm = BaseFormat | `${BaseFormat}.thin`;

export function bodyFormOf(format: BaseFormat, payload: EndpointPayload): BodyForm {
  return payload === "thin" ? `${format}.thin` : format;
}
