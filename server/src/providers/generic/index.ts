import { defineProvider } from "../provider.ts";
import { answer } from "./answer.ts";
import { eventOf } from "./events.ts";
import { GenericSetup } from "./setup.ts";
import { verify } from "./verify.ts";

export const generic = defineProvider({
  name: "generic",
  title: "Any other system",
  callAlias: "generic",
  setup: GenericSetup,
  secrets: [{ slot: "secret", title: "Webhook secret", env: [] }],
  givenRoutes: [],
  givenRoutesCreate: true,
  accepts: ["json", "form"],
  bodyBytesMax: 5_000_000,
  verify,
  parse: ({ request, setup }) => [eventOf(request, setup)],
  answer,
});
