import type { Handlers } from "@aftercall/contract/api.ts";
import type { retentionRoutes } from "@aftercall/contract/routes/retention.ts";
import type { undeliveredRoutes } from "@aftercall/contract/routes/undelivered.ts";

import { cancelHandlers } from "./ledger/cancel.ts";
import { expungeHandlers } from "./ledger/expunge.ts";
import { undeliveredListHandlers } from "./ledger/undelivered.ts";
import { type ResendDeps, resendHandlers } from "./resend/routes.ts";
import { singleResendHandlers } from "./resend/single.ts";

/** Everything under /v1 that is about what did not arrive: the list, what waits, sending it once more, and forgetting it. */
export function undeliveredHandlers(deps: ResendDeps): Handlers<typeof undeliveredRoutes & typeof retentionRoutes> {
  return {
    ...undeliveredListHandlers(deps),
    ...resendHandlers(deps),
    ...singleResendHandlers(deps),
    ...cancelHandlers(deps),
    ...expungeHandlers(deps),
  };
}
