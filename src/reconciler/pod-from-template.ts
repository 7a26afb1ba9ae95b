import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import type { Pod } from "../api/core/pod.ts";
import { controllerReference } from "./ownership.ts";

/** A `PodTemplateSpec`, as every workload carries it. */
export interface PodTemplate {
  readonly metadata?: KubeObject["metadata"];
  readonly spec?: Pod["spec"];
}

/**
 * A Pod of `owner`'s template, named by the server.
 *
 * @spec k8s@1.36 pkg/controller/controller_utils.go GetPodFromTemplate
 */
export function podFromTemplate(template: PodTemplate, kind: Kind, owner: KubeObject): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const { name = "", namespace = "" } = owner.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${name}-`,
      namespace,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers: [...finalizers] }),
      ownerReferences: [controllerReference(kind, owner)],
    },
    ...(template.spec && { spec: template.spec }),
  };
}
