import type { Kind } from "../api/machinery/kind.ts";
import type { KeyArgument, ListOptions } from "./client.ts";

/** `/api/v1/namespaces/default/pods` or `/apis/apps/v1/deployments`. */
export function collectionPath(kind: Kind, namespace: string | undefined): string {
  const root = kind.group === "" ? "/api" : `/apis/${kind.group}`;
  const scope =
    kind.isNamespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}/${kind.version}${scope}/${kind.plural}`;
}

/** The path of one object, or of one of its subresources. */
export function objectPath(kind: Kind, { namespace, name }: KeyArgument, subresource = ""): string {
  const path = `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
  return subresource ? `${path}/${subresource}` : path;
}

/** `?a=b&c=d`; "" when nothing is set. */
export function query(
  parameters: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)] as [string, string]],
  );
  return pairs.length ? `?${new URLSearchParams(pairs).toString()}` : "";
}

/** The query of a list or watch. */
export function listQuery(options: ListOptions): Parameters<typeof query>[0] {
  const { labelSelector, fieldSelector, limit, resourceVersion } = options;
  return { labelSelector, fieldSelector, limit, continue: options.continue, resourceVersion };
}
