import type { eventTypes } from "@aftercall/contract/events.ts";
import type { streamItems } from "@aftercall/contract/live.ts";
import type { routes } from "@aftercall/contract/routes.ts";

/*
 * What the SDK knows of the contract: types and nothing else. The published package has this file written out in full
 * (`sdk/scripts/print-contract.ts`), so that whoever installs it gets neither the contract nor its validator.
 */

export type {
  Call,
  CallDirection,
  CallOutcome,
  CallStatus,
  Money,
  Transcript,
  Turn,
} from "@aftercall/contract/call.ts";
export type { CallTranscript } from "@aftercall/contract/call-transcript.ts";
export type { Campaign } from "@aftercall/contract/campaign.ts";
export type { ExportLine } from "@aftercall/contract/import.ts";
export type { CallItem, CampaignItem, LiveCall, LiveTurn, TranscriptionItem } from "@aftercall/contract/live.ts";
export type { Problem } from "@aftercall/contract/problem.ts";

type Table = typeof routes;

/** What a schema takes, and what it gives. */
type In<S> = S extends { readonly _zod: { readonly input: infer T } } ? T : undefined;
type Out<S> = S extends { readonly _zod: { readonly output: infer T } } ? T : undefined;
type Part<R, Name extends string> = R extends { readonly [N in Name]: infer S } ? S : undefined;

/** A query as a program has it: numbers, booleans and lists instead of their texts. */
type Query<S> = S extends object ? { [Field in keyof In<S>]: QueryField<In<S>[Field], Of<Out<S>, Field>> } : undefined;
type QueryField<I, O> = [O] extends [string | undefined] ? I : Given<O> | (undefined extends I ? undefined : never);
type Given<O> = O extends readonly (infer Item)[] ? readonly Item[] : O;
type Of<T, Field> = Field extends keyof T ? T[Field] : never;

/** Every route of /v1: where it is, what it takes, what it answers. */
export type Routes = {
  [Name in keyof Table]: {
    method: Table[Name]["method"];
    path: Table[Name]["path"];
    query: Query<Part<Table[Name], "query">>;
    body: In<Part<Table[Name], "body">>;
    /** A line of the file that it takes. */
    lines: In<Part<Table[Name], "bodyLines">>;
    output: Out<Table[Name]["output"]>;
    /** Whether it answers with one output after the other. */
    isStream: Table[Name] extends { readonly media: "application/x-ndjson" } ? true : false;
  };
};
export type RouteName = keyof Routes;

/** `data` of every message that aftercall sends, by `type`. */
export type EventData = { [Name in keyof typeof eventTypes]: Out<(typeof eventTypes)[Name]["data"]> };

/** `data` of every item of `GET /v1/stream`, by `event`. */
export type StreamData = { [Kind in keyof typeof streamItems]: Out<(typeof streamItems)[Kind]> };
