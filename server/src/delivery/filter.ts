/** Answers for any payload and never throws. */
export type Matcher = (payload: unknown) => boolean;

/**
 * Makes a filter ready to be asked for every message. Total: what is no filter (written by another version, say) matches
 * nothing, and a payload of any shape is only a payload that does not match. The rules are described at {@link Filter}.
 */
export function compileFilter(filter: unknown): Matcher {
  return nodeOf(filter);
}

const never: Matcher = () => false;

function nodeOf(node: unknown): Matcher {
  if (!isObject(node)) return isScalar(node) ? some((value) => value === node) : never;
  const operators: Matcher[] = [];
  const numbered: Matcher[] = [];
  const named: Matcher[] = [];
  for (const [key, inner] of Object.entries(node)) {
    if (key.startsWith("$")) operators.push(operatorOf(key, inner));
    else (isIndex(key) ? numbered : named).push(fieldOf(key.split("."), inner));
  }
  const tests = [...operators, ...numbered];
  return all(named.length === 0 ? tests : [...tests, ofElements(all(named))]);
}

function fieldOf([name = "", ...rest]: readonly string[], inner: unknown): Matcher {
  const further = rest.length === 0 ? nodeOf(inner) : fieldOf(rest, inner);
  const matches = rest.length === 0 || isIndex(rest[0] ?? "") ? further : ofElements(further);
  return (holder) => matches(valueOf(holder, name));
}

/** The fields of one node are asked of each element of an array, so that all of them must hold for the same one. */
function ofElements(fields: Matcher): Matcher {
  const ask: Matcher = (value) => (Array.isArray(value) ? value.some(ask) : fields(value));
  return ask;
}

function valueOf(holder: unknown, name: string): unknown {
  if (Array.isArray(holder)) return isIndex(name) ? (holder[Number(name)] as unknown) : undefined;
  return isObject(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined;
}

/** `0` and `0.text` count the elements of an array. */
function isIndex(path: string): boolean {
  return /^\d{1,9}(\.|$)/.test(path);
}

function operatorOf(operator: string, operand: unknown): Matcher {
  switch (operator) {
    case "$eq":
      return some((value) => value === operand);
    case "$ne":
      return not(some((value) => value === operand));
    case "$in":
      return Array.isArray(operand) ? some((value) => isScalar(value) && operand.includes(value)) : never;
    case "$nin":
      return Array.isArray(operand) ? not(some((value) => isScalar(value) && operand.includes(value))) : never;
    case "$gt":
      return compare(operand, (order) => order > 0);
    case "$gte":
      return compare(operand, (order) => order >= 0);
    case "$lt":
      return compare(operand, (order) => order < 0);
    case "$lte":
      return compare(operand, (order) => order <= 0);
    case "$exists":
      return (value) => (value !== undefined) === operand;
    case "$startsWith":
      return typeof operand === "string"
        ? some((value) => typeof value === "string" && value.startsWith(operand))
        : never;
    case "$endsWith":
      return typeof operand === "string"
        ? some((value) => typeof value === "string" && value.endsWith(operand))
        : never;
    case "$and":
      return Array.isArray(operand) ? all(operand.map(nodeOf)) : never;
    case "$or":
      return Array.isArray(operand) ? any(operand.map(nodeOf)) : never;
    case "$not":
      return isObject(operand) ? not(nodeOf(operand)) : never;
    default:
      return never;
  }
}

/** Numbers with numbers (and with decimal text, as amounts of money are written), texts with texts, by code unit. */
function compare(operand: unknown, holds: (order: number) => boolean): Matcher {
  if (typeof operand === "number") {
    return some((value) => {
      const number =
        typeof value === "number" ? value : typeof value === "string" && decimal.test(value) ? Number(value) : NaN;
      return !Number.isNaN(number) && holds(number - operand);
    });
  }
  if (typeof operand === "string") {
    return some((value) => typeof value === "string" && holds(value === operand ? 0 : value < operand ? -1 : 1));
  }
  return never;
}

const decimal = /^-?\d{1,30}(\.\d{1,30})?$/;

/** The value itself, or one element of an array. */
function some(test: Matcher): Matcher {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

function all(tests: readonly Matcher[]): Matcher {
  return (value) => tests.every((test) => test(value));
}

function any(tests: readonly Matcher[]): Matcher {
  return (value) => tests.some((test) => test(value));
}

function not(test: Matcher): Matcher {
  return (value) => !test(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): boolean {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
