import { bridgeLimits } from "./limits.ts";
import type { PartOfItem } from "./model-events.ts";
import { bytesPerMs } from "./mulaw.ts";

/** Sound of the agent, and when in the call it was heard. */
export type Placed = { readonly atMs: number; readonly bytes: Buffer };

/** What was heard of one thing that the agent said. `share`: of its sound, 0 to 1. */
export type Heard = {
  readonly itemId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly share: number;
  readonly isInterrupted: boolean;
  /** Nothing more of it will be heard. */
  readonly isOver: boolean;
};

/** What the model is to be told after the caller broke in. Nothing that was played to its end is in it. */
export type Interruption = {
  readonly placed: readonly Placed[];
  /** Items of which the caller heard the beginning. */
  readonly truncated: readonly { readonly itemId: string; readonly contentIndex: number; readonly endMs: number }[];
  /** Items of which the caller heard nothing. */
  readonly unheard: readonly string[];
};

type Item = PartOfItem & {
  producedBytes: number;
  sentBytes: number;
  /** By the marks that came back, and by nothing else. */
  playedBytes: number;
  startMs: number | null;
  endMs: number;
  isWhole: boolean;
  /** Not all of it was played; `isInterrupted`: because the caller spoke. */
  isCut: boolean;
  isInterrupted: boolean;
  /** Whether the model that is connected now made it. */
  isKnown: boolean;
};

type Chunk = { readonly item: Item; readonly bytes: Buffer; readonly sentAtMs: number; readonly number: number };

/**
 * What was sent to the caller and what of it was heard. Every piece of sound is followed by a mark, which comes back when it was
 * played: the clock says nothing about that. All times are milliseconds of the stream.
 */
export function createPlayback() {
  const items = new Map<string, Item>();
  const discarded = new Set<string>();
  let pending: Chunk[] = [];
  // Marks that come back after a `clear` were not played: they are of an earlier generation.
  let generation = 0;
  let number = 0;
  let agentEndMs = 0;

  return {
    /** Takes a piece that is sent now and gives the name of its mark; null: it is of an answer that nobody wants any more. */
    queue(part: PartOfItem, bytes: Buffer, nowMs: number): string | null {
      const item = itemOf(part);
      item.producedBytes += bytes.length;
      if (discarded.has(part.responseId) || bytes.length === 0) return null;
      item.sentBytes += bytes.length;
      pending.push({ item, bytes, sentAtMs: nowMs, number: ++number });
      return `${generation}:${number}`;
    },
    /** A mark came back: everything up to it was played, also where another mark was lost. */
    echoed(name: string, nowMs: number): readonly Placed[] {
      const [of, upTo] = name.split(":").map(Number);
      const count = pending.findIndex((chunk) => chunk.number === upTo) + 1;
      if (of !== generation || count === 0) return [];
      const [first] = pending;
      const lateMs = nowMs - endOf(pending.slice(0, count));
      if (first && lateMs > bridgeLimits.markSlackMs) agentEndMs = startOf(first, agentEndMs) + lateMs;
      return played(count);
    },
    /** What was played so long ago that its marks must have been lost: sound is played as fast as time goes by. */
    presumed(nowMs: number): readonly Placed[] {
      let [count, endMs] = [0, agentEndMs];
      for (const chunk of pending) {
        endMs = startOf(chunk, endMs) + lengthOf(chunk);
        if (endMs + bridgeLimits.lostMarkMs > nowMs) break;
        count++;
      }
      return played(count);
    },
    /** The caller breaks in: what is left is dropped, with what the model still makes of it. */
    interrupt(nowMs: number, responseId: string | null): Interruption {
      const stopped = new Set(pending.map(({ item }) => item));
      for (const item of items.values()) if (item.responseId === responseId && !item.isWhole) stopped.add(item);
      const placed = partlyPlayed(nowMs);
      pending = [];
      generation++;
      if (responseId !== null) discarded.add(responseId);
      for (const item of stopped) {
        item.isCut = item.isInterrupted = true;
        discarded.add(item.responseId);
      }
      const told = [...stopped].filter(({ isKnown }) => isKnown);
      const heard = told.filter((item) => playedMs(item) > 0);
      return {
        placed,
        truncated: heard.map((item) => ({
          itemId: item.itemId,
          contentIndex: item.contentIndex,
          endMs: playedMs(item),
        })),
        unheard: told.filter((item) => playedMs(item) === 0).map(({ itemId }) => itemId),
      };
    },
    /** The stream ends now: what of the rest was played, as far as the time tells. */
    stop(nowMs: number): readonly Placed[] {
      const stopped = new Set(pending.map(({ item }) => item));
      const placed = partlyPlayed(nowMs);
      pending = [];
      for (const item of stopped) {
        item.isCut = true;
        // No mark comes back any more.
        item.playedBytes = Math.round((item.endMs - (item.startMs ?? item.endMs)) * bytesPerMs);
      }
      return placed;
    },
    whole({ itemId }: PartOfItem): void {
      const item = items.get(itemId);
      if (item) item.isWhole = true;
    },
    /** Another model is connected: it knows of nothing that was said. */
    forgetModel(): void {
      for (const item of items.values()) item.isKnown = false;
    },
    get unplayedMs() {
      return pending.reduce((sum, chunk) => sum + lengthOf(chunk), 0);
    },
    /** No sound will be placed before this moment. */
    settledMs(nowMs: number): number {
      const [next] = pending;
      return next ? Math.min(nowMs, startOf(next, agentEndMs)) : nowMs;
    },
    heard(): Heard[] {
      return [...items.values()].flatMap(({ itemId, startMs, endMs, isCut, isInterrupted, isWhole, ...item }) => {
        const share = isCut ? Math.min(1, item.playedBytes / item.producedBytes) : 1;
        return startMs === null ? [] : [{ itemId, startMs, endMs, share, isInterrupted, isOver: isWhole || isCut }];
      });
    },
  };

  function itemOf(part: PartOfItem): Item {
    const known = items.get(part.itemId);
    if (known) return known;
    const bytes = { producedBytes: 0, sentBytes: 0, playedBytes: 0 };
    const flags = { isWhole: false, isCut: false, isInterrupted: false, isKnown: true };
    const item: Item = {
      ...{ itemId: part.itemId, responseId: part.responseId, contentIndex: part.contentIndex },
      ...{ ...bytes, ...flags, startMs: null, endMs: 0 },
    };
    items.set(part.itemId, item);
    return item;
  }

  function played(count: number): readonly Placed[] {
    return pending.splice(0, count).map((chunk) => {
      chunk.item.playedBytes += chunk.bytes.length;
      return place(chunk, chunk.bytes);
    });
  }

  /** When these, the next ones, will have been played. */
  function endOf(chunks: readonly Chunk[]): number {
    return chunks.reduce((end, chunk) => startOf(chunk, end) + lengthOf(chunk), agentEndMs);
  }

  function partlyPlayed(nowMs: number): readonly Placed[] {
    return pending.flatMap((chunk) => {
      const ms = Math.min(nowMs - startOf(chunk, agentEndMs), lengthOf(chunk));
      return ms > 0 ? [place(chunk, chunk.bytes.subarray(0, Math.floor(ms * bytesPerMs)))] : [];
    });
  }

  function place(chunk: Chunk, bytes: Buffer): Placed {
    const atMs = startOf(chunk, agentEndMs);
    agentEndMs = atMs + bytes.length / bytesPerMs;
    chunk.item.startMs ??= atMs;
    chunk.item.endMs = agentEndMs;
    return { atMs, bytes };
  }
}

/** Sound is played at once, or after what was sent before it. */
function startOf({ sentAtMs }: Pick<Chunk, "sentAtMs">, agentEndMs: number): number {
  return Math.max(sentAtMs, agentEndMs);
}

function lengthOf({ bytes }: Chunk): number {
  return bytes.length / bytesPerMs;
}

/** Never more than was sent: the model refuses an end that lies beyond its sound. */
function playedMs({ sentBytes, playedBytes }: Item): number {
  return Math.floor(Math.min(sentBytes, playedBytes) / bytesPerMs);
}
