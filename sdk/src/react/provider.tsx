import { createContext, type ReactNode, useContext } from "react";

import type { Client } from "../client.ts";

const ClientContext = createContext<Client | null>(null);

/**
 * Gives the hooks below it their client.
 *
 * ```tsx
 * const aftercall = createClient({ token: () => session.token });
 * <AftercallProvider client={aftercall}><App /></AftercallProvider>
 * ```
 */
export function AftercallProvider({ client, children }: { readonly client: Client; readonly children?: ReactNode }) {
  return <ClientContext.Provider value={client}>{children}</ClientContext.Provider>;
}

/** @throws Error without a provider above */
export function useAftercall(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error("Put <AftercallProvider client={…}> around what uses aftercall");
  return client;
}

/** The client where there is a provider. */
export function useClientIfAny(): Client | null {
  return useContext(ClientContext);
}
