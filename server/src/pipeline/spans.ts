import { toPublicId } from "@aftercall/contract/id.ts";

import type { SpanAbout, SpanAttributes } from "#/kernel/tracing.ts";

import type { Dossier } from "./dossier.ts";
import type { Outcome } from "./outcome.ts";
import type { Step } from "./step.ts";

/** One time that somebody worked on a call. All of them are one trace, whose id is the call's. */
export function passSpan({ tenantId, callId, plan }: Dossier): SpanAbout {
  return {
    name: "pipeline",
    traceOf: callId,
    attributes: {
      "aftercall.call.id": toPublicId("call", callId),
      "aftercall.tenant.id": toPublicId("tenant", tenantId),
      "aftercall.plan.version": plan.version,
    },
  };
}

/** One try of a step. */
export function stepSpan({ name }: Step, { callId, steps }: Dossier): SpanAbout {
  return {
    name,
    attributes: {
      "aftercall.call.id": toPublicId("call", callId),
      "aftercall.step": name,
      "aftercall.step.attempt": steps.get(name)?.attempt,
    },
  };
}

/** What became of it. The sentence for people stays here: it may hold what was said. */
export function told(outcome: Outcome): SpanAttributes {
  if (outcome.state === "waiting") return { "aftercall.step.state": outcome.isRetry ? "queued" : "blocked" };
  const { state, reason, engine } = outcome;
  return {
    "aftercall.step.state": state,
    "aftercall.step.reason": reason,
    "aftercall.engine.kind": engine?.kind,
    "aftercall.engine.provider": engine?.provider,
    "aftercall.engine.model": engine?.model,
  };
}
