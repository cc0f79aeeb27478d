import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { createClient } from "../../src/index.ts";
import { AftercallProvider, useCall, useCallOutcome, useCallStream } from "../../src/react/index.ts";

/** A page of a tenant's own: who is looked at and with which token is in its address, as a test hands them over. */
const given = new URLSearchParams(location.hash.slice(1));
const [server, token, callId, userId] = ["server", "token", "call", "user"].map((name) => given.get(name) ?? "");

const aftercall = createClient({ baseUrl: server ?? "", token: token ?? "" });

function CallOutcomeDisplay({ call, user }: { readonly call: string; readonly user: string }) {
  const { outcome, loading, error, refresh } = useCallOutcome(call, user);
  const live = useCall(call, { live: true });
  const { status } = useCallStream([`call:${call}`], refresh);

  if (loading && !outcome) return <p>Loading…</p>;
  if (error) return <p>Error: {error}</p>;
  if (!outcome) return <p>Call not found</p>;
  return (
    <main>
      <h1>Call outcome: {outcome.outcome ?? "none yet"}</h1>
      <p id="duration">{outcome.duration === null ? "" : `Duration: ${outcome.duration} seconds`}</p>
      <p id="status">Status: {live.call?.status ?? ""}</p>
      <p id="stream">Stream: {status}</p>
      <button onClick={refresh}>Refresh</button>
    </main>
  );
}

const root = document.getElementById("page");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <AftercallProvider client={aftercall}>
        <CallOutcomeDisplay call={callId ?? ""} user={userId ?? ""} />
      </AftercallProvider>
    </StrictMode>,
  );
}
