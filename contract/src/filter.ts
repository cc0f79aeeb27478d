import { z } from "zod";

/** Bounds of a filter: it is evaluated for every message. */
export const filterLimits = {
  /** Objects inside objects. */
  depthMax: 8,
  /** Fields and operators in all. */
  conditionsMax: 100,
  /** Values of one `$in` or `$nin`. */
  valuesMax: 100,
  /** Characters of a text, also of a path. */
  textMax: 500,
  /** Names in a path: `data.call.direction` has three. */
  segmentsMax: 10,
} as const;

export type Scalar = string | number | boolean | null;

/** What a filter is made of: `{ "data.call.direction": "inbound", "data.call.duration_ms": { "$gte": 60000 } }`. */
export type Filter = { readonly [key: string]: unknown };

export const filterOperators: readonly string[] =
  "$eq $ne $gt $gte $lt $lte $in $nin $exists $startsWith $endsWith $and $or $not".split(" ");

/**
 * Which messages an endpoint wants, asked of the body in the standard format. All entries must hold. A key is a field, with
 * dots into objects, and its value what the field must be: a value, an object of operators, or an object of fields.
 *
 * `$eq $ne $gt $gte $lt $lte $in $nin $exists $startsWith $endsWith` compare; `$and $or` take a list of filters and `$not` one.
 * Of a list in the message one element must match (`$ne` and `$nin`: none may); a number in a path counts its elements from 0.
 * Numbers are also compared with amounts that are written as text. What is missing equals nothing.
 */
export const Filter: z.ZodType<Filter, Filter> = z.record(z.string(), z.unknown()).superRefine((filter, context) => {
  for (const { path, message } of filterProblems(filter))
    context.addIssue({ code: "custom", path: [...path], message });
});

export type FilterProblem = { readonly path: readonly (string | number)[]; readonly message: string };

/** What is wrong with a filter, each with the place; at most ten, none when it is a filter. */
export function filterProblems(filter: unknown): FilterProblem[] {
  const problems: FilterProblem[] = [];
  let conditions = 0;
  checkNode(filter, [], 1);
  return problems.slice(0, 10);

  function refuse(path: FilterProblem["path"], message: string): void {
    problems.push({ path, message });
  }

  function checkNode(node: unknown, path: FilterProblem["path"], depth: number): void {
    if (!isObject(node)) return refuse(path, "Write an object of fields or operators");
    if (depth > filterLimits.depthMax) return refuse(path, `At most ${filterLimits.depthMax} levels`);
    const entries = Object.entries(node);
    if (entries.length === 0) return refuse(path, "An empty filter says nothing; leave it out to get everything");
    for (const [key, value] of entries) {
      if (++conditions > filterLimits.conditionsMax) {
        if (conditions === filterLimits.conditionsMax + 1)
          refuse([], `At most ${filterLimits.conditionsMax} fields and operators`);
        return;
      }
      if (key.startsWith("$")) checkOperator(key, value, [...path, key], depth);
      else checkField(key, value, [...path, key], depth);
    }
  }

  function checkField(key: string, value: unknown, path: FilterProblem["path"], depth: number): void {
    const names = key.split(".");
    if (key.length > filterLimits.textMax || names.length > filterLimits.segmentsMax || names.includes(""))
      return refuse(path, `A path is 1 to ${filterLimits.segmentsMax} names with dots between them`);
    if (isScalar(value)) return checkScalar(value, path);
    if (Array.isArray(value)) return refuse(path, 'For one of several values write { "$in": [ … ] }');
    checkNode(value, path, depth + 1);
  }

  function checkOperator(operator: string, operand: unknown, path: FilterProblem["path"], depth: number): void {
    switch (operator) {
      case "$and":
      case "$or":
        if (!Array.isArray(operand) || operand.length === 0) return refuse(path, "Write a list of one or more filters");
        return operand
          .slice(0, filterLimits.conditionsMax)
          .forEach((one: unknown, i) => checkNode(one, [...path, i], depth + 1));
      case "$not":
        return checkNode(operand, path, depth + 1);
      case "$in":
      case "$nin":
        if (!Array.isArray(operand) || operand.length === 0 || operand.length > filterLimits.valuesMax)
          return refuse(path, `Write a list of 1 to ${filterLimits.valuesMax} values`);
        return operand.forEach((one: unknown, i) => checkScalar(one, [...path, i]));
      case "$eq":
      case "$ne":
        return checkScalar(operand, path);
      case "$exists":
        return typeof operand === "boolean" ? undefined : refuse(path, "Write true or false");
      case "$startsWith":
      case "$endsWith":
        return typeof operand === "string" && operand !== ""
          ? checkScalar(operand, path)
          : refuse(path, "Write a text of one or more characters");
      case "$gt":
      case "$gte":
      case "$lt":
      case "$lte":
        return typeof operand === "string" || typeof operand === "number"
          ? checkScalar(operand, path)
          : refuse(path, "Write a number or a text");
      default:
        refuse(path, `Unknown operator. Known: ${filterOperators.join(" ")}`);
    }
  }

  function checkScalar(value: unknown, path: FilterProblem["path"]): void {
    if (!isScalar(value)) return refuse(path, "Write a text, a number, true, false or null");
    if (typeof value === "string" && value.length > filterLimits.textMax)
      refuse(path, `A text has at most ${filterLimits.textMax} characters`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}
