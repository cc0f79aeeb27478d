import type { Clock } from "#/kernel/clock.ts";
import type { Log } from "#/kernel/log.ts";
import type { SocketEvents, SocketWire } from "#/kernel/net/web-socket.ts";
import type { Random } from "#/kernel/random.ts";
import type { Receive } from "#/providers/incoming.ts";
import type { StoredAudio } from "#/providers/recording.ts";
import type { BridgeSetup } from "#/providers/twilio/bridge-setup.ts";
import type { ActiveSource, Sources } from "#/sources/active.ts";

import type { TrackFile } from "./track-file.ts";

/** Opens one connection, and tells of it. @throws HttpFailure */
export type Connect = (events: SocketEvents) => SocketWire;

/** What the bridge needs of others. */
export type BridgeDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly sources: Pick<Sources, "bySlug">;
  readonly publicUrl: string;
  /** For the tokens of streams. */
  readonly key: Buffer;
  /** The inbox: what Twilio asks with is a status of the call as well. */
  readonly receive: Receive;
  /** Stores what we note of a call, as if it had come as a webhook; `repeat` when it is stored already. @throws Unavailable */
  readonly note: (source: ActiveSource, note: object) => Promise<"new" | "repeat">;
  /** Opens a connection to a model for a tenant. @throws HttpFailure */
  readonly connect: (tenantId: string, to: ModelAddress) => Promise<Connect>;
  readonly newTrack: () => TrackFile;
  /** Puts a recording into the store of recordings. */
  readonly keep: (tenantId: string, wav: AsyncIterable<Buffer>) => Promise<StoredAudio>;
  readonly discard: (stored: StoredAudio) => Promise<void>;
};

export type ModelAddress = { readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** A source whose calls are answered by a model. */
export type BridgedSource = { readonly source: ActiveSource; readonly setup: BridgeSetup };
