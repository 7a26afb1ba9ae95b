import { translateTimestampSince } from "../machinery/human-duration.ts";
import type { KubeObject } from "../machinery/object.ts";
import type { Column } from "../machinery/resource.ts";

type Cell<T extends KubeObject> = Column<T>["cell"];

/** A column of text that is always shown. */
export function textColumn<T extends KubeObject>(
  name: string,
  description: string,
  cell: Cell<T>,
): Column<T> {
  return { name, type: "string", description, priority: 0, cell };
}

/** A column of numbers that is always shown. */
export function integerColumn<T extends KubeObject>(
  name: string,
  description: string,
  cell: Cell<T>,
): Column<T> {
  return { name, type: "integer", description, priority: 0, cell };
}

/** The same column, shown with `-o wide` only. */
export function wide<T extends KubeObject>(column: Column<T>): Column<T> {
  return { ...column, priority: 1 };
}

/** The first column of nearly every kind. */
export function nameColumn<T extends KubeObject>(): Column<T> {
  return {
    name: "Name",
    type: "string",
    format: "name",
    description: "Name of the object, unique within its namespace",
    priority: 0,
    cell: (object) => object.metadata?.name ?? "",
  };
}

/** Time since creation. */
export function ageColumn<T extends KubeObject>(): Column<T> {
  return textColumn("Age", "Time since the object was created", (object, now) =>
    translateTimestampSince(object.metadata?.creationTimestamp, now),
  );
}

/** The columns of a kind for which upstream has no printer of its own. @spec apiserver registry/rest table.go */
export function defaultColumns<T extends KubeObject>(): readonly Column<T>[] {
  return [
    nameColumn<T>(),
    {
      name: "Created At",
      type: "date",
      description: "Time at which the object was created",
      priority: 0,
      cell: (object) => object.metadata?.creationTimestamp ?? "",
    },
  ];
}

/** `a=1,b=2`, sorted, or `<none>`. @spec apimachinery labels FormatLabels */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.keys(labels ?? {})
    .sort()
    .map((key) => `${key}=${labels![key]}`);
  return pairs.length === 0 ? "<none>" : pairs.join(",");
}

/** Items that a column shows. @spec k8s@1.36 printers.go listWithMoreString */
export const SHOWN_MAX = 3;

/** Three of them and how many more. */
export function formatSome(items: readonly string[], whenEmpty: string): string {
  return formatFirst(items, items.length, whenEmpty);
}

/** {@link formatSome} of `count` items of which `first` are the first. */
export function formatFirst(first: readonly string[], count: number, whenEmpty: string): string {
  if (count === 0) return whenEmpty;
  const shown = first.slice(0, SHOWN_MAX).join(",");
  return count > SHOWN_MAX ? `${shown} + ${count - SHOWN_MAX} more...` : shown;
}

interface WithContainers {
  readonly spec?: {
    readonly containers: readonly { readonly name: string; readonly image?: string }[];
  };
}

/** The wide columns of a kind with a pod template: Containers, Images and Selector. */
export function templateColumns<T extends KubeObject>(
  template: (object: T) => WithContainers | undefined,
  selector: (object: T) => string,
): readonly Column<T>[] {
  return [
    ...containerColumns(template),
    textColumn<T>("Selector", "Which pods belong to this object", selector),
  ].map(wide);
}

/** The columns Containers and Images of a pod template. */
export function containerColumns<T extends KubeObject>(
  template: (object: T) => WithContainers | undefined,
): readonly Column<T>[] {
  const containers = (object: T) => template(object)?.spec?.containers ?? [];
  return [
    textColumn<T>("Containers", "Names of the containers in the template", (object) =>
      containers(object)
        .map(({ name }) => name)
        .join(","),
    ),
    textColumn<T>("Images", "Images of the containers in the template", (object) =>
      containers(object)
        .map(({ image }) => image ?? "")
        .join(","),
    ),
  ];
}
