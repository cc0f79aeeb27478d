import { type Node, parsePattern, PatternError } from "./parse.ts";

/**
 * A pattern as a program that {@link search} runs: instructions that follow one another unless they say otherwise.
 *
 * @throws {PatternError} what is wrong with it, for whoever wrote it
 */
export function compilePattern(source: string): Program {
  const { node, flags } = parsePattern(source);
  const program: Draft = { ops: [], x: [], y: [], atoms: [], names: new Map(), flags };
  write(program, node);
  push(program, Op.match);
  return {
    ops: Uint8Array.from(program.ops),
    x: Int32Array.from(program.x),
    y: Int32Array.from(program.y),
    atoms: program.atoms,
  };
}

/** What is wrong with a pattern, as a sentence for whoever wrote it; null when nothing is. */
export function faultOfPattern(source: string): string | null {
  try {
    compilePattern(source);
    return null;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}

/** `split` tries `x` first, then `y`; `save` notes the position in slot `x`; `assert` holds `x`, a character code. */
export const Op = { atom: 0, split: 1, jump: 2, save: 3, assert: 4, match: 5 } as const;

export type Program = {
  readonly ops: Uint8Array;
  readonly x: Int32Array;
  readonly y: Int32Array;
  readonly atoms: readonly Atom[];
};

/** Whether an atom takes a character, given as its code point. */
export type Atom = (code: number) => boolean;

const instructionsMax = 2000;

type Draft = {
  readonly ops: number[];
  readonly x: number[];
  readonly y: number[];
  readonly atoms: Atom[];
  readonly names: Map<string, number>;
  readonly flags: string;
};

function push(draft: Draft, op: number, x = 0, y = 0): number {
  if (draft.ops.length >= instructionsMax)
    throw new PatternError("the pattern is too large when its repetitions are written out");
  draft.x.push(x);
  draft.y.push(y);
  return draft.ops.push(op) - 1;
}

function write(draft: Draft, node: Node): void {
  switch (node.kind) {
    case "atom":
      push(draft, Op.atom, atomOf(draft, node.source));
      break;
    case "assert":
      push(draft, Op.assert, node.at.charCodeAt(0));
      break;
    case "sequence":
      for (const one of node.nodes) write(draft, one);
      break;
    case "choice":
      choice(draft, node.nodes);
      break;
    case "group":
      // The first group is the value; what others hold is asked by nobody.
      if (node.index === 1) push(draft, Op.save, 2);
      write(draft, node.node);
      if (node.index === 1) push(draft, Op.save, 3);
      break;
    case "repeat":
      repeat(draft, node);
      break;
  }
}

function choice(draft: Draft, nodes: readonly Node[]): void {
  const jumps: number[] = [];
  nodes.forEach((node, i) => {
    const split = i < nodes.length - 1 ? push(draft, Op.split) : -1;
    if (split >= 0) draft.x[split] = split + 1;
    write(draft, node);
    if (split < 0) return;
    jumps.push(push(draft, Op.jump));
    draft.y[split] = draft.ops.length;
  });
  for (const jump of jumps) draft.x[jump] = draft.ops.length;
}

function repeat(draft: Draft, { node, min, max, isLazy }: Extract<Node, { kind: "repeat" }>): void {
  for (let i = 0; i < min; i++) write(draft, node);
  if (max === Number.POSITIVE_INFINITY) {
    const split = optional(draft, node, isLazy);
    push(draft, Op.jump, split);
    leaveTo(draft, split, isLazy);
    return;
  }
  const splits: number[] = [];
  for (let i = min; i < max; i++) splits.push(optional(draft, node, isLazy));
  for (const split of splits) leaveTo(draft, split, isLazy);
}

/** The node, or past it; where past it is, {@link leaveTo} says later. */
function optional(draft: Draft, node: Node, isLazy: boolean): number {
  const split = push(draft, Op.split);
  (isLazy ? draft.y : draft.x)[split] = split + 1;
  write(draft, node);
  return split;
}

function leaveTo(draft: Draft, split: number, isLazy: boolean): void {
  (isLazy ? draft.x : draft.y)[split] = draft.ops.length;
}

function atomOf(draft: Draft, source: string): number {
  const known = draft.names.get(source);
  if (known !== undefined) return known;
  const index = draft.atoms.push(atom(source, draft.flags)) - 1;
  draft.names.set(source, index);
  return index;
}

const remembered = 0x600;

/** One character is matched by the platform's own expressions, so that it means what it means there. */
function atom(source: string, flags: string): Atom {
  const pattern = new RegExp(`^(?:${source})$`, flags);
  const answers = new Int8Array(remembered);
  return (code) => {
    if (code >= remembered) return pattern.test(String.fromCodePoint(code));
    const answer = answers[code];
    if (answer) return answer > 0;
    const matches = pattern.test(String.fromCodePoint(code));
    answers[code] = matches ? 1 : -1;
    return matches;
  };
}
