import { aboutOf } from "./about.ts";
import { whole } from "./kinds.ts";

/** When operators are told of sources and of the queue. */
export const alarmSettings = {
  sourceSilentMinutes: whole(1, 100_000).default(60).register(aboutOf, {
    env: "AFTERCALL_SOURCE_SILENT_MINUTES",
    about:
      "How long a source that sends regularly must have sent nothing, at least, before `source.silent` says so; never before twice the longest silence of the last two weeks.",
    example: "240",
  }),
  sourceRejectingPercent: whole(1, 100).default(50).register(aboutOf, {
    env: "AFTERCALL_SOURCE_REJECTING_PERCENT",
    about:
      "The share of refused requests of a source, within ten minutes and of at least ten, that `source.rejecting` tells of.",
    example: "20",
  }),
  queueLaggingSeconds: whole(1, 86_400).default(60).register(aboutOf, {
    env: "AFTERCALL_QUEUE_LAGGING_SECONDS",
    about: "How late a delivery must be, for five minutes, before `queue.lagging` says so.",
    example: "300",
  }),
};
