/** First and last index of a run, both in it. */
type Run = readonly [first: number, last: number];

/**
 * A set of completion indexes as the status of an Indexed Job writes it: `1,3-5,7`.
 *
 * A Job may have 100,000 indexes and more, so a set is kept as runs; what grows with the number of indexes is avoided.
 * @spec k8s@1.36 pkg/controller/job/indexed_job_utils.go orderedIntervals
 */
export class IndexSet {
  readonly #runs: readonly Run[];

  private constructor(runs: readonly Run[]) {
    this.#runs = runs;
  }

  /** In any order, repetitions allowed. */
  static of(indexes: Iterable<number>): IndexSet {
    const sorted = [...indexes].sort((a, b) => a - b);
    return new IndexSet(joined(sorted.map((index) => [index, index])));
  }

  /**
   * Indexes of `text` below `completions`. What is no index is passed over: it was written by somebody who may.
   */
  static parse(text: string, completions: number): IndexSet {
    const runs: Run[] = [];
    for (const part of text === "" ? [] : text.split(",")) {
      const limits = part.split("-").map(wholeNumber);
      const [first, last] = [limits[0], limits.length > 1 ? limits[1] : limits[0]];
      if (first === undefined || last === undefined) continue;
      if (first >= completions) break;
      runs.push([first, Math.min(last, completions - 1)]);
    }
    return new IndexSet(joined(runs));
  }

  get size(): number {
    return this.#runs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  has(index: number): boolean {
    let [low, high] = [0, this.#runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#runs[middle]![1] >= index) high = middle;
      else low = middle + 1;
    }
    return low < this.#runs.length && this.#runs[low]![0] <= index;
  }

  union(other: IndexSet): IndexSet {
    const all = [...this.#runs, ...other.#runs].sort((a, b) => a[0] - b[0]);
    return new IndexSet(joined(all));
  }

  /** How many indexes both have. */
  overlap(other: IndexSet): number {
    let [i, j, count] = [0, 0, 0];
    while (i < this.#runs.length && j < other.#runs.length) {
      const [a, b] = [this.#runs[i]!, other.#runs[j]!];
      count += Math.max(0, Math.min(a[1], b[1]) - Math.max(a[0], b[0]) + 1);
      if (a[1] <= b[1]) i++;
      else j++;
    }
    return count;
  }

  /** The first index that both have. */
  firstCommon(other: IndexSet): number | undefined {
    for (const [first, last] of this.#runs) {
      const run = other.#runs.find((one) => one[1] >= first && one[0] <= last);
      if (run) return Math.max(first, run[0]);
    }
    return undefined;
  }

  /** The first `count` indexes below `end` that are not in the set. */
  firstMissing(count: number, end: number): number[] {
    const missing: number[] = [];
    let candidate = 0;
    for (const [first, last] of [...this.#runs, [end, end] as const]) {
      for (; candidate < Math.min(first, end) && missing.length < count; candidate++)
        missing.push(candidate);
      candidate = Math.max(candidate, last + 1);
    }
    return missing;
  }

  /** Two neighbours stand with a comma, three and more with a hyphen. */
  toString(): string {
    return this.#runs
      .map(([first, last]) =>
        first === last ? `${first}` : `${first}${last === first + 1 ? "," : "-"}${last}`,
      )
      .join(",");
  }
}

/** Runs by ascending beginning, made one where they touch. */
function joined(runs: readonly Run[]): readonly Run[] {
  const result: [number, number][] = [];
  for (const [first, last] of runs) {
    const previous = result.at(-1);
    if (previous && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else result.push([first, last]);
  }
  return result;
}

function wholeNumber(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What is wrong with a text of indexes in upstream's words, or how many it names. */
export type IndexCount = { readonly count: number } | { readonly problem: string };

/** Checks the text form strictly: ascending, below `completions`. @spec k8s@1.36 pkg/apis/batch/validation validateIndexesFormat */
export function countIndexes(text: string, completions: number): IndexCount {
  let count = 0;
  let previous: number | undefined;
  for (const part of text === "" ? [] : text.split(",")) {
    const limits = part.split("-");
    if (limits.length > 2) {
      const rule = "violates the requirement that an index interval can have at most two parts";
      return { problem: `the fragment ${JSON.stringify(part)} ${rule} separated by '-'` };
    }
    const numbers: number[] = [];
    for (const limit of limits) {
      const number = wholeNumber(limit);
      const quoted = JSON.stringify(limit);
      if (number === undefined)
        return { problem: `cannot convert string to integer for index: ${quoted}` };
      if (number >= completions) return { problem: `too large index: ${quoted}` };
      numbers.push(number);
    }
    const [first, last = first] = numbers as [number, number?];
    const before = limits.length > 1 && first >= last ? first : previous;
    const current = limits.length > 1 && first >= last ? last : first;
    if (before !== undefined && before >= current) {
      return { problem: `non-increasing order, previous: ${before}, current: ${current}` };
    }
    count += last - first + 1;
    previous = last;
  }
  return { count };
}
