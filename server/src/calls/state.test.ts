import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { callEvent } from "#/providers/provider.ts";
import type { CallEvent } from "#/providers/provider.ts";

import { isOver, project } from "./project.ts";
import { advance, join, nothingKnown, stateOf } from "./state.ts";
import type { CallState, HeardEvent } from "./state.ts";

const status = fc.constantFrom("queued", "ringing", "in_progress", "ended", "failed", "canceled", "timeout" as const);
const outcome = fc.constantFrom(null, "completed", "busy", "no_answer", "failed", "canceled" as const);

/** Events as providers send them: any status, some facts, time known or not, times that collide. */
const heardEvent: fc.Arbitrary<HeardEvent> = fc
  .record({
    id: fc.integer({ min: 0, max: 30 }),
    heard: fc.option(fc.record({ status, outcome })),
    occurredAt: fc.option(fc.integer({ min: 1_000, max: 1_010 })),
    receivedAt: fc.integer({ min: 2_000, max: 2_010 }),
    weight: fc.integer({ min: 1, max: 9 }),
    summary: fc.option(fc.string({ maxLength: 3 })),
    endedAt: fc.option(fc.integer({ min: 1, max: 5 })),
    answeredBy: fc.constantFrom(null, "human", "machine_start", "fax"),
    isReport: fc.boolean(),
  })
  .map(({ id, heard, occurredAt, receivedAt, weight, summary, endedAt, answeredBy, isReport }) => ({
    eventId: `event-${id}`,
    by: `source:${id}`,
    receivedAt,
    event: callEvent({
      key: String(id),
      type: "t",
      heard,
      occurredAt,
      weight,
      facts: { summary, answered_by: answeredBy },
      guesses: { ended_at: endedAt },
      isReport,
    }),
  }));
/** One event per identity: the same key always carries the same event. */
const history = fc.uniqueArray(heardEvent, { selector: (heard) => heard.by, maxLength: 12 });

function fold(events: readonly HeardEvent[], from: CallState = nothingKnown): CallState {
  return events.reduce((state, event) => advance(state, join(state, stateOf(event))), from);
}

function heard(event: Partial<CallEvent>, receivedAt = 5_000, key = "k"): HeardEvent {
  return { event: callEvent({ key, type: "t", ...event }), eventId: `e-${key}`, by: `s:${key}`, receivedAt };
}

describe("a call's record", () => {
  test("is the same for any order and any repetition of its events", () => {
    fc.assert(
      fc.property(
        history.chain((events) =>
          fc.tuple(
            fc.constant(events),
            fc.shuffledSubarray(events, { minLength: events.length }),
            fc.array(fc.constantFrom(...(events.length ? events : [heard({})])), { maxLength: 6 }),
          ),
        ),
        ([events, shuffled, repeats]) => {
          fc.pre(events.length > 0);
          expect(fold([...shuffled, ...repeats, ...shuffled])).toEqual(fold(events));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("never falls back in rank while events arrive, in whatever order", () => {
    const rank = (s: CallState) => {
      const { status: now } = project(s);
      return isOver(now) ? 3 : { queued: 0, ringing: 1, in_progress: 2 }[now as "queued"];
    };
    const withSip = heardEvent.map((one) => ({
      ...one,
      event: { ...one.event, heard: one.event.heard && { ...one.event.heard, unless: "has_sip_participant" as const } },
    }));
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(heardEvent, withSip, fc.constant(heard({ facts: { has_sip_participant: true } }, 5_000, "sip"))),
          { maxLength: 15 },
        ),
        (events) => {
          let state = nothingKnown;
          for (const event of events) {
            const next = advance(state, join(state, stateOf(event)));
            expect(rank(next)).toBeGreaterThanOrEqual(rank(state));
            state = next;
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("is the same whichever of two records is merged into the other", () => {
    fc.assert(
      fc.property(history, history, (a, b) => {
        expect(join(fold(a), fold(b))).toEqual(join(fold(b), fold(a)));
      }),
    );
  });

  test("never loses a value to a later event that does not know it", () => {
    const known = fold([heard({ facts: { summary: "שלום" } }, 1, "a")]);
    expect(fold([heard({ facts: { summary: null } }, 9, "b")], known).facts.summary?.value).toBe("שלום");
  });
});

describe("of two final reports", () => {
  const ended = heard({ heard: { status: "ended", outcome: "completed" }, occurredAt: 2_000 }, 9_000, "ended");
  const failed = heard({ heard: { status: "failed", outcome: "failed" }, occurredAt: 1_000 }, 9_500, "failed");
  const timeout = heard({ heard: { status: "timeout", outcome: null }, occurredAt: 10 }, 10, "timeout");

  test("the earlier by provider time holds, whichever arrives first", () => {
    expect(project(fold([ended, failed])).status).toBe("failed");
    expect(project(fold([failed, ended])).status).toBe("failed");
  });

  test("the time received decides where the provider gives none", () => {
    const first = heard({ heard: { status: "ended", outcome: "completed" } }, 100, "x");
    const second = heard({ heard: { status: "failed", outcome: "failed" } }, 200, "y");
    expect(project(fold([second, first])).status).toBe("ended");
  });

  test("a timeout gives way to any real one, even a later one", () => {
    expect(project(fold([timeout, ended])).status).toBe("ended");
    expect(project(fold([ended, timeout])).status).toBe("ended");
  });

  test("better evidence holds over an earlier guess", () => {
    const room = heard({ heard: { status: "ended", outcome: "completed" }, occurredAt: 1, weight: 2 }, 1, "room");
    const caller = heard({ heard: { status: "failed", outcome: "failed" }, occurredAt: 5, weight: 5 }, 5, "caller");
    expect(project(fold([room, caller]))).toMatchObject({ status: "failed", outcome: "failed" });
  });
});

describe("who answered", () => {
  const completed = heard({ heard: { status: "ended", outcome: "completed" } }, 1, "end");
  test.each([
    ["machine_end_beep", "ended", "voicemail"],
    ["fax", "failed", "failed"],
    ["human", "ended", "completed"],
  ])(
    "a completed call answered by %s is %s with outcome %s, even when that is heard later",
    (by, statusAfter, outcomeAfter) => {
      const late = heard({ facts: { answered_by: by } }, 9, "amd");
      expect(project(fold([completed, late]))).toMatchObject({ status: statusAfter, outcome: outcomeAfter });
      expect(project(fold([late, completed]))).toMatchObject({ status: statusAfter, outcome: outcomeAfter });
    },
  );
});

test("an agent's leave ends a call only while no SIP caller was seen", () => {
  const agentLeft = heard(
    { heard: { status: "ended", outcome: "completed", unless: "has_sip_participant" }, weight: 1 },
    2,
    "agent",
  );
  const sipJoined = heard(
    { heard: { status: "in_progress", outcome: null }, facts: { has_sip_participant: true } },
    1,
    "sip",
  );
  expect(project(fold([agentLeft])).status).toBe("ended");
  expect(project(fold([sipJoined, agentLeft])).status).toBe("in_progress");
  expect(project(fold([agentLeft, sipJoined])).status).toBe("ended");
});
