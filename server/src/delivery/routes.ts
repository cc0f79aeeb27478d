import type { Handlers } from "@aftercall/contract/api.ts";
import type { deliveryRoutes } from "@aftercall/contract/routes/delivery.ts";

import { type EndpointDeps, endpointHandlers } from "./endpoints/routes.ts";
import { type SendExampleDeps, sendExampleHandlers } from "./endpoints/send-example.ts";
import { healthHandlers } from "./health/routes.ts";
import { ledgerHandlers } from "./ledger/routes.ts";
import { previewHandlers } from "./mapping/preview.ts";
import { sampleHandlers } from "./messages/samples.ts";

/** Everything under /v1 that is about what goes out. */
export function deliveryHandlers(deps: EndpointDeps & SendExampleDeps): Handlers<typeof deliveryRoutes> {
  return {
    ...endpointHandlers(deps),
    ...sendExampleHandlers(deps),
    ...healthHandlers(deps),
    ...previewHandlers(deps),
    ...sampleHandlers(deps),
    ...ledgerHandlers(deps),
  };
}

/** As whom we send: the name of the program, and the host of its own URL. */
export function senderOf({ publicUrl }: { readonly publicUrl: string }, version: string) {
  return { userAgent: `aftercall/${version}`, origin: new URL(publicUrl).hostname };
}
