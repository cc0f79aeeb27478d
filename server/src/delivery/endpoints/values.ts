import {
  type CreateEndpoint,
  type EndpointFormat,
  endpointDefaults,
  type Signature,
  type UpdateEndpoint,
} from "@aftercall/contract/endpoint.ts";
import { mergeHeaders } from "@aftercall/contract/endpoint/headers.ts";
import type { Mapping } from "@aftercall/contract/endpoint/mapping.ts";
import { apiVersion } from "@aftercall/contract/version.ts";

import { invalid } from "./refusals.ts";
import type { Opened } from "./secrets.ts";
import { type EndpointRow, type EndpointSettings, orderOf, rateOf } from "./store.ts";

/** Settings of an endpoint, the secret ones not yet sealed. */
export type Values = {
  readonly settings: EndpointSettings;
  readonly opened: Opened;
  readonly isPaused: boolean;
  readonly disabledReason: string | null;
};

export function newValues(body: CreateEndpoint): Values {
  const { signature, signatureSecret } = splitSignature(body.signature, null);
  return fitting({
    settings: {
      url: body.url,
      fallback_url: body.fallback_url,
      uid: body.uid,
      description: body.description,
      metadata: body.metadata,
      kind: body.kind,
      types: body.types,
      direction: body.direction,
      campaign_ids: body.campaign_ids,
      channels: body.channels,
      filter: body.filter,
      ...formColumns(body.format, body.mapping),
      cloudevents_mode: body.cloudevents_mode,
      payload: body.payload,
      signature,
      schedule_ms: body.schedule_ms,
      type_schedules_ms: body.type_schedules_ms,
      timeout_ms: body.timeout_ms,
      in_flight_max: body.in_flight_max,
      ...rateColumns(body.rate),
      ...orderColumns(body.order),
      status_rules: body.no_retry_statuses,
      is_handshake_on: body.is_handshake_on,
      is_breaker_on: body.is_breaker_on,
      is_auto_disabled_on: body.is_auto_disabled_on,
      resend_on_late: body.resend_on_late,
      api_version: apiVersion,
    },
    opened: { signatureSecret, headers: headersAfter([], body.headers), auth: body.auth },
    isPaused: body.is_paused,
    disabledReason: null,
  });
}

/** What is absent stays, null goes back to the default. */
export function changedValues(row: EndpointRow, opened: Opened, body: UpdateEndpoint): Values {
  const defaults = endpointDefaults;
  const { signature, signatureSecret } =
    body.signature === undefined
      ? { signature: row.signature, signatureSecret: opened.signatureSecret }
      : splitSignature(body.signature ?? defaults.signature, opened.signatureSecret);
  return fitting({
    settings: {
      url: body.url ?? row.url,
      fallback_url: orDefault(body.fallback_url, row.fallback_url, null),
      uid: orDefault(body.uid, row.uid, null),
      description: orDefault(body.description, row.description, defaults.description),
      metadata: orDefault(body.metadata, row.metadata, defaults.metadata),
      kind: row.kind,
      types: orDefault(body.types, row.types, defaults.types),
      direction: orDefault(body.direction, row.direction, defaults.direction),
      campaign_ids: orDefault(body.campaign_ids, row.campaign_ids, null),
      channels: orDefault(body.channels, row.channels, null),
      filter: orDefault(body.filter, row.filter, null),
      ...formAfter(row, body),
      cloudevents_mode: orDefault(body.cloudevents_mode, row.cloudevents_mode, defaults.cloudevents_mode),
      payload: orDefault(body.payload, row.payload, defaults.payload),
      signature,
      schedule_ms: orDefault<readonly (string | number)[]>(body.schedule_ms, row.schedule_ms, defaults.schedule_ms),
      type_schedules_ms: orDefault(body.type_schedules_ms, row.type_schedules_ms, {}),
      timeout_ms: orDefault(body.timeout_ms, row.timeout_ms, defaults.timeout_ms),
      in_flight_max: orDefault(body.in_flight_max, row.in_flight_max, defaults.in_flight_max),
      ...rateColumns(orDefault(body.rate, rateOf(row), null)),
      ...orderColumns(orDefault(body.order, orderOf(row), defaults.order)),
      status_rules: orDefault(body.no_retry_statuses, row.status_rules, defaults.no_retry_statuses),
      is_handshake_on: orDefault(body.is_handshake_on, row.is_handshake_on, false),
      is_breaker_on: orDefault(body.is_breaker_on, row.is_breaker_on, true),
      is_auto_disabled_on: orDefault(body.is_auto_disabled_on, row.is_auto_disabled_on, true),
      resend_on_late: orDefault(body.resend_on_late, row.resend_on_late, false),
      api_version: row.api_version,
    },
    opened: {
      signatureSecret,
      headers: headersOf(opened, body.headers),
      auth: orDefault(body.auth, opened.auth, null),
    },
    isPaused: body.is_paused ?? row.paused_at !== null,
    disabledReason: reasonAfter(row.disabled_reason, body.is_enabled),
  });
}

/** Settings that are fine alone and not together. */
function fitting(values: Values): Values {
  const { url, fallback_url: fallbackUrl } = values.settings;
  const isPlain = [url, fallbackUrl ?? url].some((one) => !one.toLowerCase().startsWith("https:"));
  if (values.opened.auth?.type === "mtls" && isPlain) {
    throw invalid("/auth/type", "A client certificate needs an https URL");
  }
  return values;
}

function orDefault<Value>(given: Value | null | undefined, before: Value, fallback: Value): Value {
  return given === undefined ? before : (given ?? fallback);
}

function reasonAfter(before: string | null, isEnabled: boolean | undefined): string | null {
  if (isEnabled === undefined) return before;
  return isEnabled ? null : (before ?? "user");
}

/** Another format takes the mapping away. */
function formAfter(row: EndpointRow, body: UpdateEndpoint) {
  const before = row.mapping && { over: row.format, steps: [...row.mapping] };
  const format = orDefault<EndpointFormat>(body.format, before ? "mapped" : row.format, endpointDefaults.format);
  return formColumns(format, body.mapping === undefined && format === "mapped" ? before : (body.mapping ?? null));
}

function formColumns(format: EndpointFormat, mapping: Mapping | null): Pick<EndpointSettings, "format" | "mapping"> {
  if (format !== "mapped") {
    if (mapping !== null) throw invalid("/mapping", "A mapping goes with the format mapped");
    return { format, mapping };
  }
  if (mapping === null) throw invalid("/mapping", "The format mapped needs a mapping");
  return { format: mapping.over, mapping: mapping.steps };
}

/** The secret of a profile is kept apart, sealed. Absent: the one before; a profile that takes none has none. */
function splitSignature(given: Signature, before: string | null) {
  if (!("secret" in given)) {
    const takesSecret = given.profile !== "standard" && given.profile !== "svix";
    return { signature: given, signatureSecret: takesSecret ? before : null };
  }
  const { secret, ...signature } = given;
  return { signature, signatureSecret: secret === undefined ? before : secret };
}

function headersOf({ headers }: Opened, patch: UpdateEndpoint["headers"]): Opened["headers"] {
  return patch === undefined ? headers : patch === null ? [] : headersAfter(headers, patch);
}

function headersAfter(before: Opened["headers"], patch: Parameters<typeof mergeHeaders>[1]): Opened["headers"] {
  const { headers, problem } = mergeHeaders(before, patch);
  if (problem !== null) throw invalid("/headers", problem);
  return headers;
}

function rateColumns(rate: ReturnType<typeof rateOf>) {
  return {
    rate_limit: rate?.limit ?? null,
    rate_per_seconds: rate?.per_seconds ?? null,
    rate_burst: rate?.burst ?? null,
  };
}

function orderColumns({ mode, strict_delay_max_ms }: ReturnType<typeof orderOf>) {
  return { order_mode: mode, strict_delay_max_ms };
}
