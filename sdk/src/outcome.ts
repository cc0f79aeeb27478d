import { authorization, type Connection, connectionOf, type ConnectionOptions } from "./connection.ts";
import { AftercallError } from "./error.ts";

/** A call as the Call Outcomes API shows it. A running call is `active`, with null where the end is not known. */
export type CallLog = {
  id: string;
  userId: string;
  agentConfigId?: string;
  livekitRoomName?: string;
  livekitRoomSid?: string;
  direction: "inbound" | "outbound";
  phoneNumber?: string;
  sipCallId?: string;
  status: "active" | "ended" | "failed";
  outcome: "completed" | "no_answer" | "busy" | "failed" | null;
  /** Seconds. */
  duration: number | null;
  recordingUrl: string | null;
  metadata: Record<string, unknown> | null;
  startedAt?: string;
  endedAt: string | null;
  createdAt: string;
  updatedAt: string;
};

/**
 * The outcome of a call of a user (`GET /api/calls/:id/outcome`), with a token that may act for this user. Without options
 * it asks where the page is from, with the token in `localStorage.token`.
 * @throws AftercallError with the server's `error` as its message, else `Failed to retrieve call outcome`
 */
export async function getCallOutcome(
  callId: string,
  userId: string,
  options: ConnectionOptions & { readonly signal?: AbortSignal } = {},
): Promise<CallLog> {
  const answer = await requestOutcome(
    connectionOf({ token: storedToken, ...options }),
    { callId, userId },
    options.signal,
  );
  if (answer.ok) return (await answer.json()) as CallLog;
  const detail = errorIn(await answer.text()) ?? "Failed to retrieve call outcome";
  throw new AftercallError({ status: answer.status, code: "call_outcome", detail });
}

/** Asks once, without reading the answer. */
export async function requestOutcome(
  connection: Connection,
  { callId, userId }: { readonly callId: string; readonly userId: string },
  signal: AbortSignal | undefined,
): Promise<Response> {
  const path = `/api/calls/${encodeURIComponent(callId)}/outcome?user_id=${encodeURIComponent(userId)}`;
  const timeout = AbortSignal.timeout(connection.timeoutMs);
  return connection.fetch(connection.baseUrl + path, {
    headers: { ...(await authorization(connection)), "content-type": "application/json" },
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
}

/** Where the Call Outcomes API's own client looks for the token. */
export function storedToken(): string | null {
  return globalThis.localStorage?.getItem("token") ?? null;
}

function errorIn(text: string): string | null {
  try {
    const told: unknown = JSON.parse(text);
    if (typeof told !== "object" || told === null || !("error" in told)) return null;
    return typeof told.error === "string" && told.error !== "" ? told.error : null;
  } catch {
    return null;
  }
}
