import { z } from "zod";

/** Something that was changed. Entries are never changed or removed. */
export const AuditEntry = z.object({
  id: z.string(),
  at: z.string(),
  actor: z.object({
    kind: z.string().meta({ description: "`api_key`, `user`, or `system` for what the server did by itself." }),
    id: z.string(),
  }),
  action: z.string().meta({ description: "`noun.past_tense`, as in `endpoint.updated`." }),
  subject: z.string().meta({ description: "Id of the thing it was done to." }),
  before: z
    .record(z.string(), z.unknown())
    .nullable()
    .meta({ description: "The thing before: of a change the fields that are different, null for a new thing." }),
  after: z.record(z.string(), z.unknown()).nullable().meta({ description: "The same afterwards." }),
  detail: z.record(z.string(), z.unknown()),
  address: z.string().nullable().meta({ description: "The address the request came from." }),
  request_id: z.string().nullable(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;
