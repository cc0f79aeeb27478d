import type { EndpointFormat } from "@aftercall/contract/endpoint.ts";

import { flat } from "./flat.ts";
import type { Format } from "./format.ts";
import { standard } from "./standard.ts";

/** Every form a message can take. */
export const formats: Readonly<Record<EndpointFormat, Format>> = { standard, flat };
