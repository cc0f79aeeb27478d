import { connectionOf } from "../connection.ts";
import { type CallLog, requestOutcome, storedToken } from "../outcome.ts";
import { useClientIfAny } from "./provider.tsx";
import { useAnswer } from "./use-answer.ts";

export type CallOutcomeState = {
  outcome: CallLog | null;
  loading: boolean;
  error: string | null;
  /** Asks again and clears the error. */
  refresh: () => void;
};

/**
 * The outcome of a call of a user, as the Call Outcomes API's own hook gives it. It asks the server of the
 * {@link AftercallProvider} above; without one, where the page is from, with the token in `localStorage.token`.
 */
export function useCallOutcome(callId: string, userId: string): CallOutcomeState {
  const client = useClientIfAny();
  const { answer, loading, error, refresh } = useAnswer({
    source: client,
    key: JSON.stringify([callId, userId]),
    async load(signal) {
      const connection = client?.connection ?? connectionOf({ token: storedToken });
      const answer = await requestOutcome(connection, { callId, userId }, signal);
      if (!answer.ok) throw new Error("Failed to fetch call outcome");
      return (await answer.json()) as CallLog;
    },
  });
  return { outcome: answer, loading, error: error === null ? null : textOf(error), refresh };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "Unknown error";
}
