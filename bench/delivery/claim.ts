import { type Latency, latencyOf } from "../load/percentiles.ts";
import type { Database } from "../machine/database.ts";
import { addEndpoints, type Ballast, endpoints, prepareClaims } from "./claim-subject.ts";

/** The same claims without anything else in the tables and beside `name`. */
export type ClaimCase = { readonly name: string; readonly alone: Latency; readonly beside: Latency };

/**
 * How long a claim takes while much else is in the tables that must cost nothing. Claims without and with it are made in turn,
 * so that what else happens on the machine meets both.
 */
export async function measureClaims(database: Database, claims: number): Promise<ClaimCase[]> {
  const measured: ClaimCase[] = [];
  for (const { name, ...ballast } of cases) {
    const subjects = [
      await prepareClaims(await database.create(databases[0]), { fill: async () => {} }, claims),
      await prepareClaims(await database.create(databases[1]), ballast, claims),
    ];
    const samples = subjects.map(() => new Float64Array(claims));
    for (let i = -warmUp; i < claims; i++) {
      for (const [index, subject] of subjects.entries()) {
        const ms = await subject.claim();
        if (i >= 0) samples[index]?.fill(ms, i, i + 1);
      }
    }
    const [alone, beside] = samples.map(latencyOf);
    if (alone && beside) measured.push({ name, alone, beside });
    for (const subject of subjects) await subject.stop();
    for (const one of databases) await database.drop(one);
  }
  return measured;
}

const databases = ["bench_claim_alone", "bench_claim_beside"] as const;
const warmUp = 20;

const ballastOf = `insert into deliveries (tenant_id, id, message_id, endpoint_id, cause, state, attempt_count, due_at, claim_id, lease_until)
  select $1, gen_random_uuid(), (select id from messages limit 1), e.id, 'ballast ' || n, $2, $3, now() - interval '1 minute',
         case when $2 = 'claimed' then gen_random_uuid() end, case when $2 = 'claimed' then now() + interval '1 hour' end
    from endpoints e cross join generate_series(1, $4) n where e.url like $5`;

const cases: readonly (Ballast & { readonly name: string })[] = [
  {
    name: "1,000,000 finished deliveries",
    fill: async (run) => {
      for (let i = 0; i < 10; i++)
        await run(ballastOf.replaceAll("'ballast '", `'ballast ${i} '`), [
          "delivered",
          1,
          100_000 / endpoints,
          "%good%",
        ]);
    },
  },
  {
    name: "one endpoint that asked for a pause, 200,000 waiting",
    fill: async (run) => {
      await run(addEndpoints, ["paused", 1]);
      for (let i = 0; i < 4; i++)
        await run(ballastOf.replaceAll("'ballast '", `'ballast ${i} '`), ["due", 1, 50_000, "%paused%"]);
      await run(`update endpoint_health h set not_before = now() + interval '1 hour' from endpoints e
                  where $1::uuid is not null and e.id = h.endpoint_id and e.url like '%paused%'`);
    },
  },
  {
    name: "500 endpoints that hang, 40 waiting for each",
    fill: async (run) => {
      await run(addEndpoints, ["hanging", 500]);
      await run(
        "update endpoints set order_mode = 'skip', in_flight_max = 2 where $1::uuid is not null and url like '%hanging%'",
      );
      await run(ballastOf, ["due", 0, 40, "%hanging%"]);
      await run(ballastOf.replaceAll("'ballast '", "'claimed '"), ["claimed", 0, 2, "%hanging%"]);
    },
  },
  {
    name: "a transaction open since the beginning",
    fill: async () => {},
    hasOldSnapshot: true,
  },
  {
    name: "the 20 endpoints have a rate",
    fill: async (run) => {
      await run(
        "update endpoints set rate_limit = 10000, rate_per_seconds = 1, rate_burst = 10000 where $1::uuid is not null",
      );
    },
  },
];
