/** What the worker measures; the registry of the process fits. */
export type DeliveryMetrics = {
  readonly deliveriesTotal: { inc(labels: { result: "delivered" | "retrying" | "undelivered" | "lost_claim" }): void };
  readonly deliverySeconds: { observe(seconds: number): void };
  readonly attemptSeconds: { observe(labels: { class: string }, seconds: number): void };
  /** From the moment a delivery may be sent (its commit, or its due time) to the start of its attempt. */
  readonly deliveryStartSeconds: { observe(labels: { sort: Sort }, seconds: number): void };
  readonly claimSeconds: { observe(seconds: number): void };
  readonly claimRows: { observe(rows: number): void };
  readonly slotsUsed: { set(labels: { sort: Sort }, slots: number): void };
  readonly oldestDueSeconds: { set(seconds: number): void };
  readonly waitingDeliveries: { set(labels: { cause: string }, count: number): void };
  readonly oldestWaitingSeconds: { set(labels: { cause: string }, seconds: number): void };
  readonly latestEndpoints: { reset(): void; set(labels: { endpoint: string; cause: string }, seconds: number): void };
  readonly breakers: { set(labels: { state: string }, count: number): void };
  readonly leasesLostTotal: { inc(count: number): void };
};

type Sort = "fresh" | "retry";

/** Why a delivery waits, as the backlog is counted. */
export const waitingCauses = ["due", "scheduled", "throttled", "breaker", "paused", "order"] as const;
export const breakerStates = ["closed", "open", "half_open"] as const;
