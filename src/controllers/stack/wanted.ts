import { serviceLabels } from "../../api/compose/labels.ts";
import { Stack, type ComposeService } from "../../api/compose/stack.ts";
import { Service, serviceResource } from "../../api/core/service.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import { keyOf, type KubeObject, type ObjectMeta } from "../../api/machinery/object.ts";
import type { V1PersistentVolumeClaim, V1PodTemplateSpec, V1ServiceSpec } from "../../gen/types.ts";
import { controllerReference } from "../../reconciler/ownership.ts";
import { servicesOf } from "./services.ts";
import { workloadOf } from "./workload.ts";

/** One object of a stack, there or wanted. */
export interface Part {
  readonly kind: Kind;
  readonly object: KubeObject & { readonly spec?: object };
}

/** What the specs of the three workloads share, and what a StatefulSet has besides. */
export interface Workload {
  readonly replicas?: number;
  readonly template?: V1PodTemplateSpec;
  readonly volumeClaimTemplates?: readonly V1PersistentVolumeClaim[];
}

/** A part that a stack asks for, and the service it is for. */
export interface WantedPart extends Part {
  readonly service: ComposeService;
}

/** Everything that a stack asks for, Services first: a Pod's first look for another finds its name. Pure. */
export function wantedParts(stack: Stack): readonly WantedPart[] {
  const services = stack.spec?.services ?? [];
  return [
    ...services.flatMap((service) => serviceParts(stack, service)),
    ...services.map((service) => ({
      ...workloadOf(stack, service, metadataOf(stack, service, service.name ?? "")),
      service,
    })),
  ];
}

function serviceParts(stack: Stack, service: ComposeService): readonly WantedPart[] {
  const selector = serviceLabels(stack.metadata?.name ?? "", service.name ?? "");
  return servicesOf(service, selector).map(({ name, spec }) => {
    const object = { metadata: metadataOf(stack, service, name), spec: spec as V1ServiceSpec };
    return { kind: Service, object: serviceResource.strategy.withDefaults(object), service };
  });
}

function metadataOf(stack: Stack, service: ComposeService, name: string): ObjectMeta {
  const { namespace, name: stackName } = keyOf(stack);
  return {
    name,
    namespace,
    labels: { ...service.deploy?.labels, ...serviceLabels(stackName, service.name ?? "") },
    ownerReferences: [controllerReference(Stack, stack)],
  };
}

/** `Deployment/web`: parts of one stack lie in one namespace. */
export function partName({ kind, object }: Part): string {
  return `${kind.kind}/${object.metadata?.name}`;
}
