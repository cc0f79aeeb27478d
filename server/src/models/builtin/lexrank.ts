/**
 * How central each of a number of word lists is among them all (LexRank: Erkan & Radev 2004): TF-IDF vectors, a graph of
 * those that are alike by cosine, and the share of time that a random walk spends at each. The mean is 1.
 */
export function lexRank(vectors: readonly Vector[]): Float64Array {
  const graph = graphOf(vectors);
  return walk(graph, vectors.length);
}

/** Terms in order, each with its weight; of length 1, so that the dot product of two is their cosine. */
export type Vector = { readonly terms: Int32Array; readonly weights: Float64Array };

/** TF-IDF vectors of word lists. */
export function vectorsOf(lists: readonly (readonly string[])[]): Vector[] {
  const ids = new Map<string, number>();
  const counted = lists.map((words) => {
    const counts = new Map<number, number>();
    for (const word of words) {
      const id = ids.get(word) ?? ids.size;
      ids.set(word, id);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  });
  const documents = new Int32Array(ids.size);
  for (const counts of counted) for (const id of counts.keys()) documents[id] = (documents[id] ?? 0) + 1;
  return counted.map((counts) => {
    const terms = Int32Array.from(counts.keys()).toSorted();
    const weights = Float64Array.from(
      terms,
      (id) => (counts.get(id) ?? 0) * Math.log(1 + lists.length / (documents[id] ?? 1)),
    );
    const length = Math.hypot(...weights) || 1;
    return { terms, weights: weights.map((weight) => weight / length) };
  });
}

/** The cosine of two vectors. */
export function likeness(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0, k = 0; i < a.terms.length && k < b.terms.length;) {
    const [one = 0, other = 0] = [a.terms[i], b.terms[k]];
    if (one === other) sum += (a.weights[i++] ?? 0) * (b.weights[k++] ?? 0);
    else if (one < other) i++;
    else k++;
  }
  return sum;
}

const alike = 0.1;
const damping = 0.85;
const rounds = 60;
const tolerance = 1e-3;
/** Enough for every call of people; what is beyond it is not compared. */
const edgesMax = 1_000_000;

type Graph = { readonly from: Int32Array; readonly to: Int32Array; readonly weight: Float64Array };

/** Every two that share a term and are alike; found by the terms, so that those without one cost nothing. */
function graphOf(vectors: readonly Vector[]): Graph {
  const from: number[] = [];
  const to: number[] = [];
  const weight: number[] = [];
  /** By term: who has it, and with which weight. */
  const holders = new Map<number, { readonly ids: number[]; readonly weights: number[] }>();
  const sums = new Float64Array(vectors.length);
  const touched: number[] = [];
  // What a quarter of all say tells none of them apart.
  const commonest = Math.max(20, vectors.length / 4);
  vectors.forEach(({ terms, weights }, i) => {
    for (let t = 0; t < terms.length; t++) {
      const term = terms[t] ?? 0;
      const own = weights[t] ?? 0;
      const known = holders.get(term) ?? { ids: [], weights: [] };
      if (known.ids.length <= commonest) known.ids.forEach((k, at) => addShare(k, own * (known.weights[at] ?? 0)));
      known.ids.push(i);
      known.weights.push(own);
      holders.set(term, known);
    }
    for (const k of touched) {
      const sum = sums[k] ?? 0;
      if (sum >= alike && from.length < edgesMax) {
        from.push(i);
        to.push(k);
        weight.push(sum);
      }
      sums[k] = 0;
    }
    touched.length = 0;
  });
  return { from: Int32Array.from(from), to: Int32Array.from(to), weight: Float64Array.from(weight) };

  function addShare(k: number, share: number): void {
    if (sums[k] === 0) touched.push(k);
    sums[k] = (sums[k] ?? 0) + share;
  }
}

function walk({ from, to, weight }: Graph, size: number): Float64Array {
  const leaving = new Float64Array(size);
  for (let e = 0; e < from.length; e++) {
    add(leaving, from[e] ?? 0, weight[e] ?? 0);
    add(leaving, to[e] ?? 0, weight[e] ?? 0);
  }
  let rank = new Float64Array(size).fill(1);
  for (let round = 0; round < rounds; round++) {
    // What each gives to its neighbours for each unit of likeness.
    const given = rank.map((value, i) => (damping * value) / (leaving[i] || 1));
    const next = new Float64Array(size).fill(1 - damping);
    for (let e = 0; e < from.length; e++) {
      const a = from[e] ?? 0;
      const b = to[e] ?? 0;
      const w = weight[e] ?? 0;
      add(next, b, w * (given[a] ?? 0));
      add(next, a, w * (given[b] ?? 0));
    }
    const change = largestChange(rank, next);
    rank = next;
    if (change < tolerance) break;
  }
  return rank;
}

function add(sums: Float64Array, at: number, value: number): void {
  sums[at] = (sums[at] ?? 0) + value;
}

function largestChange(a: Float64Array, b: Float64Array): number {
  let change = 0;
  for (let i = 0; i < a.length; i++) change = Math.max(change, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  return change;
}
