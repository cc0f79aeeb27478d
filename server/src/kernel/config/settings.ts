import { z } from "zod";

import { type About, aboutOf } from "./about.ts";
import { alarmSettings } from "./alarm-settings.ts";
import { engineSettings } from "./engine-settings.ts";
import { country, databaseUrl, flag, isCidrList, list, proxyUrl, publicUrl, secret, timeZone, whole } from "./kinds.ts";
import { providerSettings } from "./provider-settings.ts";
import { tracingSettings } from "./tracing-settings.ts";

/** Every setting there is. Types, checks, errors and the reference page are drawn from this one schema. */
export const settingsSchema = z.object({
  mode: z
    .enum(["development", "production"], { error: "must be development or production" })
    .optional()
    .register(aboutOf, {
      env: "AFTERCALL_MODE",
      about:
        "`development` makes up missing secrets and keeps them in `dev.env` in the data directory. `production` refuses to start without `AFTERCALL_SECRET` and `PUBLIC_URL`, and with secrets made up in development.",
      example: "production",
      defaultText: "`production` when `NODE_ENV=production`, else `development`",
    }),
  role: z.enum(["all", "api", "worker"], { error: "must be all, api or worker" }).default("all").register(aboutOf, {
    env: "AFTERCALL_ROLE",
    about:
      "What this process does: `api` takes webhooks and answers the API, `worker` delivers and runs jobs, `all` does both.",
    example: "api",
  }),
  port: whole(0, 65_535).default(4400).register(aboutOf, {
    env: "PORT",
    about: "The port to listen on; 0 takes any free one.",
    example: "4400",
  }),
  host: z.string().optional().register(aboutOf, {
    env: "AFTERCALL_HOST",
    about: "The address to listen on.",
    example: "0.0.0.0",
    defaultText: "`127.0.0.1` in development, `0.0.0.0` in production",
  }),
  publicUrl: publicUrl().optional().register(aboutOf, {
    env: "PUBLIC_URL",
    about:
      "How providers reach this server, without a slash at the end. Twilio signs the URL it calls, so it must be exactly what is entered in its console.",
    example: "https://calls.example.com",
    defaultText: "`http://localhost:<PORT>` in development; required in production",
  }),
  databaseUrl: databaseUrl().optional().register(aboutOf, {
    env: "DATABASE_URL",
    about: "PostgreSQL 15 or later. Without it the server runs a PostgreSQL of its own in the data directory.",
    example: "postgres://aftercall:…@localhost:5432/aftercall",
    isSecret: true,
    defaultText: "embedded PostgreSQL",
  }),
  dataDir: z.string().default("./.aftercall").register(aboutOf, {
    env: "AFTERCALL_DATA_DIR",
    about: "Where the embedded database and `dev.env` live, from the working directory. One server at a time uses it.",
    example: "/var/lib/aftercall",
  }),
  logLevel: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], {
      error: "must be fatal, error, warn, info, debug, trace or silent",
    })
    .default("info")
    .register(aboutOf, {
      env: "AFTERCALL_LOG_LEVEL",
      about: "The least important lines that are logged.",
      example: "debug",
    }),
  secret: secret(32).optional().register(aboutOf, {
    env: "AFTERCALL_SECRET",
    about:
      "The root key: secrets in the database are encrypted with keys made from it. Losing it loses them; keep it apart from the database. 32 characters or more.",
    example: "$(openssl rand -base64 32)",
    isSecret: true,
    isGenerated: true,
    defaultText: "made up in development; required in production",
  }),
  apiKey: secret(20).optional().register(aboutOf, {
    env: "AFTERCALL_API_KEY",
    about:
      "The first admin key of the API, for the default tenant. More keys are made through the API. 20 characters or more.",
    example: "$(openssl rand -hex 24)",
    isSecret: true,
    isGenerated: true,
  }),
  jwtSecret: secret(16).optional().register(aboutOf, {
    env: "JWT_SECRET",
    about: "Verifies the HS256 tokens of users who read call outcomes.",
    example: "$(openssl rand -base64 32)",
    isSecret: true,
    isGenerated: true,
  }),
  allowDegradedDurability: flag().default(false).register(aboutOf, {
    env: "AFTERCALL_ALLOW_DEGRADED_DURABILITY",
    about:
      "Start although the database may lose what was acknowledged (fsync, full_page_writes or synchronous_commit off). Health goes on saying `degraded`.",
    example: "true",
  }),
  unsignedSources: list().default([]).register(aboutOf, {
    env: "AFTERCALL_UNSIGNED_SOURCES",
    about:
      "Providers whose default source takes requests that nobody signed: anybody who knows the URL can then invent calls.",
    example: "wonderful",
    defaultText: "none",
  }),
  privateTargets: list(isCidrList).default([]).register(aboutOf, {
    env: "AFTERCALL_PRIVATE_TARGETS",
    about:
      "Private networks that the default tenant's webhooks may be sent to. All others are refused, so that a webhook URL cannot be used to reach your internal servers.",
    example: "10.1.0.0/16,127.0.0.1/32",
    defaultText: "none",
  }),
  httpsOnly: flag().optional().register(aboutOf, {
    env: "AFTERCALL_HTTPS_ONLY",
    about: "Accept only https URLs for what is sent out. Over plain http anybody on the way reads and changes it.",
    example: "true",
    defaultText: "`false` in development, `true` in production",
  }),
  httpsProxy: proxyUrl()
    .optional()
    .register(aboutOf, {
      env: "HTTPS_PROXY",
      aliases: ["https_proxy"],
      about:
        "The proxy that outgoing connections are made through (CONNECT, also for http targets). Targets are still looked up and checked here, and the proxy is told the address that was checked. Loopback is dialled directly.",
      example: "http://user:password@proxy.example.com:3128",
      isSecret: true,
      defaultText: "none",
    }),
  noProxy: list()
    .default([])
    .register(aboutOf, {
      env: "NO_PROXY",
      aliases: ["no_proxy"],
      about:
        "Names (with everything below them), addresses and networks that are dialled without the proxy; `*` for all.",
      example: "example.internal,10.0.0.0/8",
      defaultText: "none",
    }),
  readsPerMinute: whole(0, 1_000_000).default(6_000).register(aboutOf, {
    env: "AFTERCALL_READS_PER_MINUTE",
    about: "How many GETs of /v1 one key or user may make in a minute, in each process; 0 for as many as come.",
    example: "600",
  }),
  writesPerMinute: whole(0, 1_000_000).default(3_000).register(aboutOf, {
    env: "AFTERCALL_WRITES_PER_MINUTE",
    about: "The same for all other methods. Webhooks of providers are not counted.",
    example: "300",
  }),
  authFailuresPerMinute: whole(0, 1_000_000).default(60).register(aboutOf, {
    env: "AFTERCALL_AUTH_FAILURES_PER_MINUTE",
    about:
      "How many wrong keys and tokens one address may send to /v1 in a minute, in each process; past it they are answered 429 without being looked up. What was right within the last quarter of an hour is let in all the same. 0 for as many as come. Behind a proxy set `AFTERCALL_TRUSTED_PROXIES`, or all are one address.",
    example: "20",
  }),
  allowedOrigins: list().default([]).register(aboutOf, {
    env: "AFTERCALL_ALLOWED_ORIGINS",
    about:
      "Origins of web pages, besides this server's own, that may use the API from a browser (CORS) and open live connections (`/v1/stream`, `/v1/ws`).",
    example: "https://app.example.com",
    defaultText: "none",
  }),
  trustedProxies: list(isCidrList).default([]).register(aboutOf, {
    env: "AFTERCALL_TRUSTED_PROXIES",
    about: "Networks of the proxies in front of this server, whose `X-Forwarded-For` is believed.",
    example: "10.0.0.0/8",
    defaultText: "none",
  }),
  analysis: z.enum(["on", "off"], { error: "must be on or off" }).default("on").register(aboutOf, {
    env: "AFTERCALL_ANALYSIS",
    about:
      "Whether anything is made of calls after their end: recordings, transcripts, numbers, summaries, fields, scorecards. `off` sends `call.completed` as soon as the provider has told everything.",
    example: "off",
  }),
  timeZone: timeZone().default("UTC").register(aboutOf, {
    env: "AFTERCALL_TIME_ZONE",
    about: "Where callers are when they say `tomorrow at ten`: the IANA name of a time zone.",
    example: "Asia/Jerusalem",
  }),
  country: country().optional().register(aboutOf, {
    env: "AFTERCALL_COUNTRY",
    about: "Where phone numbers are from that are said without a country code: two letters, ISO 3166.",
    example: "IL",
  }),
  settleSeconds: whole(0, 86_400).default(120).register(aboutOf, {
    env: "AFTERCALL_SETTLE_SECONDS",
    about: "How long `call.completed` waits at most for a report that the provider sends after the end of a call.",
    example: "300",
  }),
  trainingAnswerSeconds: whole(0, 600).default(25).register(aboutOf, {
    env: "AFTERCALL_TRAINING_ANSWER_SECONDS",
    about:
      "How long Wonderful's webhook waits at most for the feedback that it asks for; past it the answer is 202 and the work goes on. 0 answers at once.",
    example: "8",
  }),
  attemptsDays: whole(1, 3_650).default(30).register(aboutOf, {
    env: "AFTERCALL_ATTEMPTS_DAYS",
    about: "How long attempts are kept: when, where to, and what status came back.",
    example: "14",
  }),
  attemptBodiesDays: whole(1, 3_650).default(7).register(aboutOf, {
    env: "AFTERCALL_ATTEMPT_BODIES_DAYS",
    about: "How long what receivers answered is kept, headers and up to 64 kB of the body.",
    example: "3",
  }),
  messageBodiesDays: whole(1, 3_650).default(90).register(aboutOf, {
    env: "AFTERCALL_MESSAGE_BODIES_DAYS",
    about:
      "How long the bytes of sent messages are kept. What still waits to be sent keeps them until it has ended; what is older cannot be resent.",
    example: "30",
  }),
  deliveriesDays: whole(1, 3_650).default(365).register(aboutOf, {
    env: "AFTERCALL_DELIVERIES_DAYS",
    about:
      "How long messages and deliveries that ended are listed, undelivered ones too. At least as long as attempts and message bodies.",
    example: "180",
  }),
  eventKeysDays: whole(1, 3_650).default(90).register(aboutOf, {
    env: "AFTERCALL_EVENT_KEYS_DAYS",
    about: "How long a webhook that comes again is recognised as a repeat.",
    example: "30",
  }),
  quarantineDays: whole(1, 3_650).default(30).register(aboutOf, {
    env: "AFTERCALL_QUARANTINE_DAYS",
    about: "How long refused requests are kept for a replay.",
    example: "7",
  }),
  engineCostsDays: whole(62, 3_650).default(400).register(aboutOf, {
    env: "AFTERCALL_ENGINE_COSTS_DAYS",
    about: "How long the costs of language models and speech engines are kept, for `GET /v1/costs`.",
    example: "800",
  }),
  engineAnswersDays: whole(1, 3_650).default(30).register(aboutOf, {
    env: "AFTERCALL_ENGINE_ANSWERS_DAYS",
    about:
      "How long what engines answered is kept so that nothing is paid for twice. What was made of it stays with its call.",
    example: "7",
  }),
  analysisJobsDays: whole(1, 3_650).default(90).register(aboutOf, {
    env: "AFTERCALL_ANALYSIS_JOBS_DAYS",
    about:
      "How long previews of plans and the progress of analyses of many calls are kept. The runs that these made of calls stay.",
    example: "30",
  }),
  s3Endpoint: publicUrl().optional().register(aboutOf, {
    env: "AFTERCALL_S3_ENDPOINT",
    about:
      "An object store that speaks S3 and keeps recordings (AWS, MinIO, Ceph, R2, …), by path-style addresses. Without it they are kept in the data directory. Encrypted in both.",
    example: "https://s3.eu-central-1.amazonaws.com",
    defaultText: "files in the data directory",
  }),
  s3Bucket: z.string().min(3).max(63).optional().register(aboutOf, {
    env: "AFTERCALL_S3_BUCKET",
    about: "The bucket of that object store; it must be there.",
    example: "aftercall-recordings",
  }),
  s3Region: z.string().min(1).default("us-east-1").register(aboutOf, {
    env: "AFTERCALL_S3_REGION",
    about: "The region that its requests are signed for.",
    example: "eu-central-1",
  }),
  s3AccessKeyId: z.string().min(1).optional().register(aboutOf, {
    env: "AFTERCALL_S3_ACCESS_KEY_ID",
    about: "The access key of that object store: it must put, get and delete objects of the bucket.",
    example: "AKIA…",
  }),
  s3SecretAccessKey: secret().optional().register(aboutOf, {
    env: "AFTERCALL_S3_SECRET_ACCESS_KEY",
    about: "The secret of the access key.",
    example: "…",
    isSecret: true,
  }),
  ...alarmSettings,
  ...engineSettings,
  ...providerSettings,
  ...tracingSettings,
});

export type Settings = z.output<typeof settingsSchema>;
export type SettingName = keyof Settings;

/** Every setting with what there is to say about it, in order. */
export function allSettings(): { name: SettingName; about: About; schema: z.ZodType }[] {
  return Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const about = aboutOf.get(schema);
    if (!about) throw new TypeError(`Setting ${name} is not described`);
    return { name: name as SettingName, about, schema };
  });
}

/** `AFTERCALL_LOG_LEVEL` → `log_level`. */
export function yamlNameOf(about: About): string {
  return about.env.replace(/^AFTERCALL_/, "").toLowerCase();
}
