import type { V1Container, V1Pod, V1ResourceFieldSelector } from "../../gen/types.ts";
import { amountOf } from "../runtime/amount.ts";
import { containerNamed } from "../runtime/pod-spec.ts";

/** What a Pod's own fields can be read from, besides the object. */
export interface FieldContext {
  readonly pod: V1Pod;
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly nodeName: string;
  /** Stands in for limits that a container does not have. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/**
 * The text of `fieldPath`; `undefined` for a path that the downward API does not know.
 *
 * @spec k8s@1.36 pkg/fieldpath/fieldpath.go; kubelet_pods.go podFieldSelectorRuntimeValue
 */
export function fieldValue(context: FieldContext, fieldPath: string): string | undefined {
  const { metadata, spec } = context.pod;
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (subscript) return metadata?.[subscript[1] as "labels" | "annotations"]?.[subscript[2]!] ?? "";
  switch (fieldPath) {
    case "metadata.name":
      return metadata?.name ?? "";
    case "metadata.namespace":
      return metadata?.namespace ?? "";
    case "metadata.uid":
      return metadata?.uid ?? "";
    case "metadata.labels":
      return formatMap(metadata?.labels ?? {});
    case "metadata.annotations":
      return formatMap(metadata?.annotations ?? {});
    case "spec.nodeName":
      return context.nodeName;
    case "spec.serviceAccountName":
      return spec?.serviceAccountName ?? "";
    case "status.hostIP":
      return context.hostIps[0] ?? "";
    case "status.hostIPs":
      return context.hostIps.join(",");
    case "status.podIP":
      return context.podIps[0] ?? "";
    case "status.podIPs":
      return context.podIps.join(",");
    default:
      return undefined;
  }
}

/** `key="value"` lines, keys ascending. */
function formatMap(map: Readonly<Record<string, string>>): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join("\n");
}

/**
 * A container's own request or limit as a whole number of `divisor`s, rounded up.
 *
 * @spec k8s@1.36 pkg/api/v1/resource/helpers.go ExtractContainerResourceValue
 */
export function resourceValue(
  context: FieldContext,
  selector: V1ResourceFieldSelector,
  self: V1Container | undefined,
): string | undefined {
  const container = selector.containerName
    ? containerNamed(context.pod, selector.containerName)
    : self;
  const match = /^(limits|requests)\.(.+)$/.exec(selector.resource);
  if (!container || !match) return undefined;
  const [, side, name] = match as unknown as [string, "limits" | "requests", string];
  const own = container.resources?.[side]?.[name];
  const fallback = side === "limits" ? context.allocatable[name] : undefined;
  const divisor = amountOf(selector.divisor) || 1;
  const quotient = amountOf(own ?? fallback) / divisor;
  return String(Math.ceil(Number(quotient.toPrecision(15))));
}
