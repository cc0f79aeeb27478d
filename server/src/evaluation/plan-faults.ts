import type { Criterion, FieldDef, MetricTest, PlanDefinition, Tracker } from "@aftercall/contract/analysis/plan.ts";

import type { FieldError } from "#/kernel/errors.ts";
import { metricKeys } from "#/metrics/metric-keys.ts";
import { faultOfPattern } from "#/models/builtin/pattern/compile.ts";
import { faultOfSchema } from "#/models/builtin/schema.ts";

/**
 * What keeps a plan from being published, each by the place of it: what was accepted in a draft one piece at a time has to fit
 * together before calls are analysed by it.
 */
export function planFaults(plan: PlanDefinition): FieldError[] {
  const fields = new Set(plan.fields.map(({ name }) => name));
  const criteria = plan.rubric?.criteria ?? [];
  return [
    ...plan.fields.flatMap((field, at) => fieldFaults(field, `/definition/fields/${at}`)),
    ...repeats(plan.fields.map(({ name }) => name)).map((at) =>
      fault(`/definition/fields/${at}/name`, "Another field has this name"),
    ),
    ...plan.trackers.flatMap((tracker, at) => trackerFaults(tracker, `/definition/trackers/${at}`)),
    ...repeats(plan.trackers.map(({ id }) => id)).map((at) =>
      fault(`/definition/trackers/${at}/id`, "Another tracker has this id"),
    ),
    ...criteria.flatMap((one, at) => criterionFaults(one, `/definition/rubric/criteria/${at}`, fields)),
    ...repeats(criteria.map(({ id }) => id)).map((at) =>
      fault(`/definition/rubric/criteria/${at}/id`, "Another criterion has this id"),
    ),
  ];
}

function fieldFaults(field: FieldDef, place: string): FieldError[] {
  const faults: FieldError[] = schemaFaults(field.schema, `${place}/schema`);
  if (field.llm_override !== null && field.kind !== "ai") {
    faults.push(fault(`${place}/llm_override`, "Only a field of the kind ai is found by a language model"));
  }
  if (field.kind === "regex") {
    faults.push(
      ...(field.regex === null
        ? [fault(`${place}/regex`, "A field of the kind regex needs a regular expression")]
        : regexFaults(field.regex, `${place}/regex`)),
    );
  }
  if (field.kind === "gazetteer" && field.entries.length === 0) {
    faults.push(fault(`${place}/entries`, "A field of the kind gazetteer needs a list of values"));
  }
  if (field.kind === "parser" && field.parser === null) {
    faults.push(
      fault(`${place}/parser`, "A field of the kind parser needs a parser: phone, email, date, money or order_id"),
    );
  }
  return faults;
}

/** Patterns are matched in bounded time, which some constructs do not allow. */
function regexFaults(text: string, place: string): FieldError[] {
  const found = faultOfPattern(text);
  return found === null ? [] : [fault(place, found)];
}

/** JSON Schema is checked as what judges values by it will read it. */
function schemaFaults(schema: Readonly<Record<string, unknown>>, place: string): FieldError[] {
  const found = faultOfSchema(schema);
  return found === null ? [] : [fault(place, found.slice(0, 300))];
}

function trackerFaults(tracker: Tracker, place: string): FieldError[] {
  const faults = tracker.metric ? metricFaults(tracker.metric, `${place}/metric`) : [];
  if (tracker.any_of.length === 0 && tracker.metric === null) {
    faults.push(fault(`${place}/any_of`, "A tracker needs phrases or a metric"));
  }
  if (tracker.range?.unit === "share" && [tracker.range.from, tracker.range.to].some((share) => Math.abs(share) > 1)) {
    faults.push(fault(`${place}/range`, "A share is between -1 and 1"));
  }
  return faults;
}

function criterionFaults(one: Criterion, place: string, fields: ReadonlySet<string>): FieldError[] {
  switch (one.kind) {
    case "metric":
      return one.metric ? metricFaults(one.metric, `${place}/metric`) : [needs(place, "metric")];
    case "phrase":
      return one.phrase ? trackerFaults(one.phrase, `${place}/phrase`) : [needs(place, "phrase")];
    case "extraction":
      if (one.field === null) return [needs(place, "field")];
      return fields.has(one.field) ? [] : [fault(`${place}/field`, `The plan has no field ${one.field}`)];
    case "check":
      return [
        ...(one.checks.length === 0 && one.description === "" ? [needs(place, "checks")] : []),
        ...repeats(one.checks.map(({ id }) => id)).map((at) =>
          fault(`${place}/checks/${at}/id`, "Another check has this id"),
        ),
      ];
    case "scale":
      return one.anchors.flatMap(({ score }, at) =>
        score < 0 || score > one.max_points
          ? [fault(`${place}/anchors/${at}/score`, `Between 0 and max_points (${one.max_points})`)]
          : [],
      );
  }
}

function metricFaults({ key, op, value }: MetricTest, place: string): FieldError[] {
  const faults: FieldError[] = [];
  if (!metricKeys.has(key))
    faults.push(fault(`${place}/key`, `Unknown metric. Known are: ${[...metricKeys].join(", ")}`));
  if (Array.isArray(value) !== (op === "between")) {
    faults.push(fault(`${place}/value`, "between takes two numbers, every other comparison one"));
  } else if (Array.isArray(value) && value[0] > value[1]) {
    faults.push(fault(`${place}/value`, "The first number is the lower one"));
  }
  return faults;
}

function needs(place: string, what: string): FieldError {
  return fault(`${place}/${what}`, `A criterion of this kind needs ${what}`);
}

function fault(pointer: string, detail: string): FieldError {
  return { pointer, detail };
}

/** The places of names that stood before already. */
function repeats(names: readonly string[]): number[] {
  return names.flatMap((name, at) => (names.indexOf(name) < at ? [at] : []));
}
