import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What is measured about this process. Labels never hold a phone number, a call, a tenant or anything a caller chose. */
export type Metrics = ReturnType<typeof createMetrics>;

const latencies = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const longLatencies = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600, 86_400, 604_800];

/** A registry of its own per app, so that several can live in one process. `process`: also memory, CPU and event-loop lag. */
export function createMetrics(options: { process?: boolean } = {}) {
  const registry = new Registry();
  const registers = [registry];
  if (options.process) collectDefaultMetrics({ register: registry });
  return {
    registry,
    httpSeconds: new Histogram({
      name: "aftercall_http_request_seconds",
      help: "Time from the headers of a request to the end of its answer.",
      labelNames: ["method", "route", "status"],
      buckets: latencies,
      registers,
    }),
    inboundTotal: new Counter({
      name: "aftercall_inbound_total",
      help: "Requests of providers by what became of them: stored, repeat, unauthorized, malformed, unavailable, too_many.",
      labelNames: ["provider", "result"],
      registers,
    }),
    intakeSeconds: new Histogram({
      name: "aftercall_intake_seconds",
      help: "Received to applied: from the last byte of a webhook to the commit of its effect.",
      labelNames: ["provider"],
      buckets: latencies,
      registers,
    }),
    intakeBatchSize: new Histogram({
      name: "aftercall_intake_batch_size",
      help: "Webhooks stored by one transaction.",
      buckets: [1, 2, 4, 8, 16, 32, 64, 100],
      registers,
    }),
    pipelineSeconds: new Histogram({
      name: "aftercall_pipeline_seconds",
      help: "Time one step of the pipeline took.",
      labelNames: ["step"],
      buckets: longLatencies,
      registers,
    }),
    deliveriesTotal: new Counter({
      name: "aftercall_deliveries_total",
      help: "Attempts by result: delivered, retrying, undelivered.",
      labelNames: ["result"],
      registers,
    }),
    deliverySeconds: new Histogram({
      name: "aftercall_delivery_seconds",
      help: "Received to delivered: from the webhook that caused a message to the 2xx of its receiver, without what is resent.",
      buckets: longLatencies,
      registers,
    }),
    attemptSeconds: new Histogram({
      name: "aftercall_attempt_seconds",
      help: "Time one attempt took, from connecting to the last byte of the answer.",
      labelNames: ["class"],
      buckets: latencies,
      registers,
    }),
    deliveryStartSeconds: new Histogram({
      name: "aftercall_delivery_start_seconds",
      help: "From the moment a delivery may be sent (its commit, or its due time) to the start of its attempt.",
      labelNames: ["sort"],
      buckets: longLatencies,
      registers,
    }),
    claimSeconds: new Histogram({
      name: "aftercall_claim_seconds",
      help: "Time it took to take due deliveries from the table.",
      buckets: latencies,
      registers,
    }),
    claimRows: new Histogram({
      name: "aftercall_claim_rows",
      help: "Deliveries taken by one claim.",
      buckets: [1, 5, 10, 25, 50, 100, 250, 500],
      registers,
    }),
    slotsUsed: new Gauge({
      name: "aftercall_delivery_slots_used",
      help: "Attempts in flight in this process: first attempts (fresh) and retries.",
      labelNames: ["sort"],
      registers,
    }),
    waitingDeliveries: new Gauge({
      name: "aftercall_waiting_deliveries",
      help: "Deliveries that wait, by cause: due, scheduled, throttled, breaker, paused, order.",
      labelNames: ["cause"],
      registers,
    }),
    oldestWaitingSeconds: new Gauge({
      name: "aftercall_oldest_waiting_seconds",
      help: "Age of the oldest delivery that waits, by cause.",
      labelNames: ["cause"],
      registers,
    }),
    latestEndpoints: new Gauge({
      name: "aftercall_endpoint_oldest_waiting_seconds",
      help: "How long the oldest delivery of an endpoint has been due, by what holds it back: due, throttled, breaker, paused. The twenty worst.",
      labelNames: ["endpoint", "cause"],
      registers,
    }),
    breakers: new Gauge({
      name: "aftercall_breakers",
      help: "Enabled endpoints by the state of their breaker: closed, open, half_open.",
      labelNames: ["state"],
      registers,
    }),
    leasesLostTotal: new Counter({
      name: "aftercall_leases_lost_total",
      help: "Claims that ran out because their process ended or could not reach the database.",
      registers,
    }),
    oldestDueSeconds: new Gauge({
      name: "aftercall_oldest_due_seconds",
      help: "Age of the oldest delivery that is due, throttled ones included.",
      registers,
    }),
    attemptDaysAhead: new Gauge({
      name: "aftercall_attempt_days_ahead",
      help: "Days after today for which the log of attempts has its partition. Below 2 somebody should look.",
      registers,
    }),
    retentionRunsTotal: new Counter({
      name: "aftercall_retention_runs_total",
      help: "Runs of retention by result: done, failed.",
      labelNames: ["result"],
      registers,
    }),
    jobsTotal: new Counter({
      name: "aftercall_jobs_total",
      help: "Background jobs by queue and result: done, retrying, failed.",
      labelNames: ["queue", "result"],
      registers,
    }),
  };
}
