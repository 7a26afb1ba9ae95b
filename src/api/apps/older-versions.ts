import type {
  V1DaemonSet,
  V1DaemonSetSpec,
  V1Deployment,
  V1DeploymentSpec,
  V1ReplicaSet,
  V1StatefulSet,
} from "../../gen/types.ts";
import type { KubeObject } from "../machinery/object.ts";
import { sameForm, type NamedKind, type OlderVersion } from "../machinery/older-version.ts";
import { fill, mapField, withField } from "../strategy/strategy.ts";

const apps = (kind: string): NamedKind => ({ group: "apps", version: "v1", kind });

/** Until 1.8 a Deployment without a limit kept every revision and never gave up: the largest int32 means both. */
const UNLIMITED = 2 ** 31 - 1;

/** Where `apps/v1` keeps what the first versions had as `spec.rollbackTo`. @spec k8s@1.15 pkg/apis/apps/v1/conversion.go */
const ROLLBACK_TO = "deprecated.deployment.rollback.to";

/** `spec.rollbackTo` asks for one rollback; the controller clears it. */
interface FirstDeployment extends KubeObject {
  readonly spec?: V1DeploymentSpec & { readonly rollbackTo?: { readonly revision?: number } };
}

/** @spec k8s@1.15 pkg/apis/apps/v1beta1, v1beta2, pkg/apis/extensions/v1beta1: defaults.go and conversion.go */
export const olderDeployments: readonly OlderVersion<V1Deployment>[] = [
  sameForm(apps("Deployment"), "v1beta2", "1.9", "1.16"),
  {
    ...sameForm(apps("Deployment"), "v1beta1", "1.8", "1.16"),
    toHub: (object) => hubDeployment(withTemplateLabels(object), { revisionHistoryLimit: 2 }),
    fromHub: firstDeployment,
  },
  {
    ...sameForm(apps("Deployment"), "v1beta1", "1.8", "1.16", "extensions"),
    toHub: (object) =>
      mapField(
        hubDeployment(withTemplateLabels(object), {
          strategy: { type: "RollingUpdate" },
          revisionHistoryLimit: UNLIMITED,
          progressDeadlineSeconds: UNLIMITED,
        }),
        "spec",
        withSingleSteps,
      ),
    fromHub: firstDeployment,
  },
];

/** @spec k8s@1.15 pkg/apis/extensions/v1beta1/defaults.go SetDefaults_ReplicaSet */
export const olderReplicaSets: readonly OlderVersion<V1ReplicaSet>[] = [
  sameForm(apps("ReplicaSet"), "v1beta2", "1.9", "1.16"),
  {
    ...sameForm(apps("ReplicaSet"), "v1beta1", "1.8", "1.16", "extensions"),
    toHub: (object) => withTemplateLabels(object as V1ReplicaSet),
  },
];

/** `spec.templateGeneration` counts changes of the template. */
interface FirstDaemonSet extends KubeObject {
  readonly spec?: V1DaemonSetSpec & { readonly templateGeneration?: number };
}

/** The annotation in which `apps/v1` keeps it. @spec k8s@1.15 pkg/apis/apps/v1/conversion.go */
export const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

/** @spec k8s@1.15 pkg/apis/extensions/v1beta1/defaults.go SetDefaults_DaemonSet */
export const olderDaemonSets: readonly OlderVersion<V1DaemonSet>[] = [
  sameForm(apps("DaemonSet"), "v1beta2", "1.9", "1.16"),
  {
    ...sameForm(apps("DaemonSet"), "v1beta1", "1.8", "1.16", "extensions"),
    toHub: hubDaemonSet,
    fromHub: firstDaemonSet,
  },
];

function hubDaemonSet(object: KubeObject): V1DaemonSet {
  const { spec, metadata, ...rest } = withTemplateLabels(object) as FirstDaemonSet;
  if (!spec) return object as V1DaemonSet;
  const { templateGeneration, ...kept } = spec;
  const annotations = templateGeneration !== undefined && {
    annotations: { ...metadata?.annotations, [TEMPLATE_GENERATION]: String(templateGeneration) },
  };
  const strategy = fill(kept.updateStrategy ?? {}, { type: "OnDelete" });
  return {
    ...rest,
    metadata: { ...metadata, ...annotations },
    spec: withField(kept, "updateStrategy", strategy),
  };
}

function firstDaemonSet(set: V1DaemonSet): KubeObject {
  const { [TEMPLATE_GENERATION]: generation, ...annotations } = set.metadata?.annotations ?? {};
  if (generation === undefined || !set.spec) return set;
  return {
    ...set,
    metadata: withField(
      set.metadata!,
      "annotations",
      Object.keys(annotations).length > 0 ? annotations : undefined,
    ),
    spec: { ...set.spec, templateGeneration: Number(generation) },
  } as KubeObject;
}

/** @spec k8s@1.15 pkg/apis/apps/v1beta1/defaults.go SetDefaults_StatefulSet */
export const olderStatefulSets: readonly OlderVersion<V1StatefulSet>[] = [
  sameForm(apps("StatefulSet"), "v1beta2", "1.9", "1.16"),
  {
    ...sameForm(apps("StatefulSet"), "v1beta1", "1.8", "1.16"),
    toHub: (object) =>
      mapField(withTemplateLabels(object as V1StatefulSet), "spec", (spec) =>
        mapField(fill(spec, { updateStrategy: {} }), "updateStrategy", (strategy) =>
          fill(strategy, { type: "OnDelete" }),
        ),
      ),
  },
];

/** Upstream's two betas have the fields of `apps/v1`. */
export const olderControllerRevisions = [
  sameForm(apps("ControllerRevision"), "v1beta2", "1.9", "1.16"),
  sameForm(apps("ControllerRevision"), "v1beta1", "1.8", "1.16"),
];

/** A workload as far as its template's labels are concerned. */
type Labelled = V1DaemonSet | V1Deployment | V1ReplicaSet | V1StatefulSet;

/** The selector, and the object's own labels, that are left out are the template's labels. */
function withTemplateLabels<T extends KubeObject>(object: T): T {
  const { spec, metadata } = object as unknown as Labelled;
  const labels = spec?.template?.metadata?.labels;
  if (!spec || !labels) return object;
  const isLabelled = Object.keys(metadata?.labels ?? {}).length > 0;
  return {
    ...object,
    metadata: isLabelled ? metadata : { ...metadata, labels },
    spec: spec.selector ? spec : { ...spec, selector: { matchLabels: labels } },
  };
}

function hubDeployment(object: KubeObject, defaults: Partial<V1DeploymentSpec>): V1Deployment {
  const { spec, metadata, ...rest } = object as FirstDeployment;
  if (!spec) return object as V1Deployment;
  const { rollbackTo, ...kept } = spec;
  const annotations = rollbackTo && {
    annotations: { ...metadata?.annotations, [ROLLBACK_TO]: String(rollbackTo.revision ?? 0) },
  };
  return {
    ...rest,
    metadata: { ...metadata, ...annotations },
    spec: fill(kept as V1DeploymentSpec, defaults),
  };
}

/** `extensions` replaced one Pod at a time where later versions replace a quarter. */
function withSingleSteps(spec: V1DeploymentSpec): V1DeploymentSpec {
  return mapField(spec, "strategy", (strategy) => {
    const typed = fill(strategy, { type: "RollingUpdate" });
    if (typed.type !== "RollingUpdate") return typed;
    const rolling = fill(typed.rollingUpdate ?? {}, { maxUnavailable: 1, maxSurge: 1 });
    return withField(typed, "rollingUpdate", rolling);
  });
}

function firstDeployment(deployment: V1Deployment): KubeObject {
  const { [ROLLBACK_TO]: revision, ...annotations } = deployment.metadata?.annotations ?? {};
  if (revision === undefined || !deployment.spec) return deployment;
  return {
    ...deployment,
    metadata: withField(
      deployment.metadata!,
      "annotations",
      Object.keys(annotations).length > 0 ? annotations : undefined,
    ),
    spec: { ...deployment.spec, rollbackTo: { revision: Number(revision) } },
  } as KubeObject;
}
