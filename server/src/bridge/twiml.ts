/** What Twilio does with a call (https://www.twilio.com/docs/voice/twiml/stream). */
export type ConnectTwiml = {
  /** `wss://…`, without a query: Twilio drops one. */
  readonly streamUrl: string;
  readonly token: string;
} & AfterStream;

/** What follows when our side ends the stream; nothing: Twilio hangs up. */
export type AfterStream = { readonly say: string; readonly redirect: string };

/** Connects the call with our stream in both directions, and says what follows when that ends before the call does. */
export function connectTwiml({ streamUrl, token, ...after }: ConnectTwiml): string {
  const parameter = `<Parameter name="token" value="${escaped(token)}"/>`;
  return document(`<Connect><Stream url="${escaped(streamUrl)}">${parameter}</Stream></Connect>${afterwards(after)}`);
}

function document(verbs: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${verbs}</Response>`;
}

function afterwards({ say, redirect }: AfterStream): string {
  const spoken = say === "" ? "" : `<Say>${escaped(say)}</Say>`;
  return redirect === "" ? spoken : `${spoken}<Redirect method="POST">${escaped(redirect)}</Redirect>`;
}

function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
