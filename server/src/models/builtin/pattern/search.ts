import { Op, type Program } from "./compile.ts";

/**
 * The first match of a pattern from `from` on, in time that grows with the length of the text and of the pattern only
 * (Thompson's method with the priorities of Pike). It is the match that a backtracking engine finds, except that a
 * repeated part which can be empty is not tried again in another way. Every step is taken from
 * `budget`; when that is used up the answer is `exhausted`, so no pattern and no text can hold anybody up.
 */
export function search(program: Program, text: string, from: number, budget: Budget): Match | "exhausted" | null {
  const run = new Run(program, text, budget);
  let found: Match | null = null;
  for (let at = from; at <= text.length;) {
    if (!found) run.enter(at);
    else if (run.isIdle) break;
    if (budget.steps <= 0) return "exhausted";
    const code = text.codePointAt(at);
    const next = at + (code !== undefined && code > 0xffff ? 2 : 1);
    found = run.step(at, code, next) ?? found;
    at = next;
  }
  return found;
}

/** Steps that may still be taken; shared by as many searches as are to be bounded together. */
export type Budget = { steps: number };

/** `group` is what the first group took; null where there is none, or it took no part. */
export type Match = {
  readonly start: number;
  readonly end: number;
  readonly group: { readonly start: number; readonly end: number } | null;
};

/** Where a thread began, and where the first group began and ended. */
type Slots = readonly [start: number, end: number, groupStart: number, groupEnd: number];
const nothing = -1;

class Run {
  readonly #program: Program;
  readonly #text: string;
  readonly #budget: Budget;
  /** Threads that wait for the next character, the preferred first. */
  #threads: number[] = [];
  #slots: Slots[] = [];
  #nextThreads: number[] = [];
  #nextSlots: Slots[] = [];
  /** The position at which an instruction was last reached; each is followed once for each position. */
  readonly #reached: Int32Array;

  constructor(program: Program, text: string, budget: Budget) {
    this.#program = program;
    this.#text = text;
    this.#budget = budget;
    this.#reached = new Int32Array(program.ops.length).fill(nothing);
  }

  get isIdle(): boolean {
    return this.#threads.length === 0;
  }

  /** Begins a match at `at`, after all that began before it. */
  enter(at: number): void {
    this.#follow(this.#threads, this.#slots, 0, at, [at, nothing, nothing, nothing]);
  }

  /** Lets every thread take the character at `at`; the match of the most preferred thread that is complete, if any. */
  step(at: number, code: number | undefined, next: number): Match | null {
    let found: Match | null = null;
    this.#nextThreads.length = 0;
    this.#nextSlots.length = 0;
    for (let i = 0; i < this.#threads.length; i++) {
      const pc = this.#threads[i] ?? 0;
      const slots = this.#slots[i] ?? [at, nothing, nothing, nothing];
      if (this.#program.ops[pc] === Op.match) {
        found = matchOf(slots, at);
        // The threads behind this one are preferred less.
        break;
      }
      this.#budget.steps--;
      if (code !== undefined && this.#program.atoms[this.#program.x[pc] ?? 0]?.(code))
        this.#follow(this.#nextThreads, this.#nextSlots, pc + 1, next, slots);
    }
    [this.#threads, this.#nextThreads] = [this.#nextThreads, this.#threads];
    [this.#slots, this.#nextSlots] = [this.#nextSlots, this.#slots];
    return found;
  }

  /** Adds a thread at `pc`, following what takes no character. */
  #follow(threads: number[], slotsOf: Slots[], pc: number, at: number, slots: Slots): void {
    if (this.#reached[pc] === at) return;
    this.#reached[pc] = at;
    this.#budget.steps--;
    const x = this.#program.x[pc] ?? 0;
    switch (this.#program.ops[pc]) {
      case Op.jump:
        this.#follow(threads, slotsOf, x, at, slots);
        break;
      case Op.split:
        this.#follow(threads, slotsOf, x, at, slots);
        this.#follow(threads, slotsOf, this.#program.y[pc] ?? 0, at, slots);
        break;
      case Op.save:
        this.#follow(
          threads,
          slotsOf,
          pc + 1,
          at,
          x === 2 ? [slots[0], slots[1], at, nothing] : [slots[0], slots[1], slots[2], at],
        );
        break;
      case Op.assert:
        if (holds(x, this.#text, at)) this.#follow(threads, slotsOf, pc + 1, at, slots);
        break;
      default:
        threads.push(pc);
        slotsOf.push(slots);
    }
  }
}

function matchOf([start, , groupStart, groupEnd]: Slots, end: number): Match {
  return { start, end, group: groupEnd === nothing ? null : { start: groupStart, end: groupEnd } };
}

function holds(kind: number, text: string, at: number): boolean {
  if (kind === 0x5e) return at === 0;
  if (kind === 0x24) return at === text.length;
  const isBoundary = isWord(text.charCodeAt(at - 1)) !== isWord(text.charCodeAt(at));
  return kind === 0x62 ? isBoundary : !isBoundary;
}

function isWord(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39) || code === 0x5f
  );
}
