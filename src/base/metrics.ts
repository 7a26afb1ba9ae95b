/**
 * Counters, gauges and histograms of one process, and their Prometheus text form.
 *
 * Why our own: three shapes and one text format are smaller than any library's options.
 * @spec Prometheus text exposition format 0.0.4
 */
export class MetricRegistry {
  readonly #families = new Map<string, Family>();
  readonly #looks: (() => void)[] = [];

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return this.#family(new Counter(name, help, labels));
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return this.#family(new Gauge(name, help, labels));
  }

  /** `bounds`: upper bounds of the buckets, ascending, without +Inf. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    labels: readonly string[] = [],
  ): Histogram {
    return this.#family(new Histogram(name, help, bounds, labels));
  }

  /** `look` sets what is known only by looking, whenever somebody asks: nothing is counted along meanwhile. */
  beforeText(look: () => void): void {
    this.#looks.push(look);
  }

  /** Everything, in the order of registration. */
  text(): string {
    for (const look of this.#looks) look();
    let out = "";
    for (const family of this.#families.values()) {
      out += `# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.type}\n`;
      out += family.lines();
    }
    return out;
  }

  #family<F extends Family>(family: F): F {
    const known = this.#families.get(family.name);
    if (known) return known as F;
    this.#families.set(family.name, family);
    return family;
  }
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  lines(): string;
}

interface Cell {
  readonly labels: string;
  value: number;
}

/** Values by label values; the label text is made once per combination. */
class Cells {
  readonly #names: readonly string[];
  readonly #cells = new Map<string, Cell>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  at(values: readonly string[]): Cell {
    const key = values.length === 1 ? values[0]! : values.join("\u0000");
    let cell = this.#cells.get(key);
    if (!cell) this.#cells.set(key, (cell = { labels: labelText(this.#names, values), value: 0 }));
    return cell;
  }

  drop(values: readonly string[]): void {
    this.#cells.delete(values.length === 1 ? values[0]! : values.join("\u0000"));
  }

  clear(): void {
    this.#cells.clear();
  }

  lines(name: string): string {
    let out = "";
    for (const cell of this.#cells.values())
      out += `${name}${cell.labels && `{${cell.labels}}`} ${cell.value}\n`;
    return out;
  }
}

/** Only grows. */
export class Counter implements Family {
  readonly type = "counter";
  readonly name: string;
  readonly help: string;
  readonly #cells: Cells;

  constructor(name: string, help: string, labels: readonly string[]) {
    this.name = name;
    this.help = help;
    this.#cells = new Cells(labels);
  }

  add(values: readonly string[] = [], by = 1): void {
    this.#cells.at(values).value += by;
  }

  /** Adds one to the same cell each time: for callers that know their labels beforehand. */
  adder(values: readonly string[]): () => void {
    const cell = this.#cells.at(values);
    return () => void cell.value++;
  }

  /** What these labels say is no more. */
  drop(values: readonly string[]): void {
    this.#cells.drop(values);
  }

  lines(): string {
    return this.#cells.lines(this.name);
  }
}

/** Goes up and down. */
export class Gauge implements Family {
  readonly type = "gauge";
  readonly name: string;
  readonly help: string;
  readonly #cells: Cells;

  constructor(name: string, help: string, labels: readonly string[]) {
    this.name = name;
    this.help = help;
    this.#cells = new Cells(labels);
  }

  set(value: number, values: readonly string[] = []): void {
    this.#cells.at(values).value = value;
  }

  add(by: number, values: readonly string[] = []): void {
    this.#cells.at(values).value += by;
  }

  /** Says nothing any more, of any labels. */
  clear(): void {
    this.#cells.clear();
  }

  /** Adds to the same cell each time. */
  adder(values: readonly string[]): (by: number) => void {
    const cell = this.#cells.at(values);
    return (by) => void (cell.value += by);
  }

  lines(): string {
    return this.#cells.lines(this.name);
  }
}

interface Distribution {
  readonly labels: string;
  readonly counts: number[];
  sum: number;
}

/** Counts of observations below each bound, and their sum. */
export class Histogram implements Family {
  readonly type = "histogram";
  readonly name: string;
  readonly help: string;
  readonly #bounds: readonly number[];
  readonly #labels: readonly string[];
  readonly #cells = new Map<string, Distribution>();

  constructor(name: string, help: string, bounds: readonly number[], labels: readonly string[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
    this.#labels = labels;
  }

  observe(value: number, values: readonly string[] = []): void {
    this.#note(this.#at(values), value);
  }

  /** Observes in the same cell each time. */
  observer(values: readonly string[]): (value: number) => void {
    const cell = this.#at(values);
    return (value) => this.#note(cell, value);
  }

  /** What these labels say is no more. */
  drop(values: readonly string[]): void {
    this.#cells.delete(values.join("\u0000"));
  }

  #at(values: readonly string[]): Distribution {
    const key = values.join("\u0000");
    let cell = this.#cells.get(key);
    if (!cell) {
      const counts = new Array<number>(this.#bounds.length + 1).fill(0);
      this.#cells.set(key, (cell = { labels: labelText(this.#labels, values), counts, sum: 0 }));
    }
    return cell;
  }

  #note(cell: Distribution, value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > this.#bounds[at]!) at++;
    cell.counts[at]!++;
    cell.sum += value;
  }

  lines(): string {
    let out = "";
    for (const { labels, counts, sum } of this.#cells.values()) {
      const comma = labels && `${labels},`;
      let total = 0;
      counts.forEach((count, at) => {
        total += count;
        const bound = at < this.#bounds.length ? String(this.#bounds[at]) : "+Inf";
        out += `${this.name}_bucket{${comma}le="${bound}"} ${total}\n`;
      });
      const braces = labels && `{${labels}}`;
      out += `${this.name}_sum${braces} ${sum}\n${this.name}_count${braces} ${total}\n`;
    }
    return out;
  }
}

function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, at) => `${name}="${escaped(values[at] ?? "")}"`).join(",");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
