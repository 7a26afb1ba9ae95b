import type {
  V1PersistentVolumeClaim,
  V1PodTemplateSpec,
  V1StatefulSet,
  V1StatefulSetPersistentVolumeClaimRetentionPolicy,
  V1StatefulSetSpec,
  V1StatefulSetUpdateStrategy,
} from "../../gen/types.ts";
import { validateClaimSpec } from "../core/persistent-volume-claim-validation.ts";
import { validateSelectedTemplate } from "../core/template-validation.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { forbidden, invalid, notSupported, required } from "../machinery/field-error.ts";
import { validateDnsLabel } from "../machinery/names.ts";
import { each, invalids, maybe, nonNegative, when, type Errors } from "../strategy/checks.ts";
import { atMost } from "../strategy/replica-counts.ts";
import { notAboveAll, validateShare } from "./deployment-validation.ts";

/** @spec k8s@1.36 pkg/apis/apps/validation ValidateStatefulSetSpec */
export function validateStatefulSet({ spec }: V1StatefulSet): Errors {
  if (spec === undefined) return [required("spec.selector"), required("spec.template")];
  const { podManagementPolicy: policy, persistentVolumeClaimRetentionPolicy: retention } = spec;
  return [
    ...validatePolicy(policy, "spec.podManagementPolicy"),
    ...validateStrategy(spec.updateStrategy ?? {}, "spec.updateStrategy"),
    ...maybe(retention, validateRetention),
    ...nonNegative("spec.replicas", spec.replicas),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...nonNegative("spec.ordinals.start", spec.ordinals?.start),
    ...validateSelectedTemplate({ ...spec, template: withClaims(spec) }, "spec", {
      selector: "statefulset",
      owner: "StatefulSet",
    }),
  ];
}

/** What upstream asks of new sets only. */
export function validateNewStatefulSet({ spec }: V1StatefulSet): Errors {
  const { serviceName, volumeClaimTemplates } = spec ?? {};
  return [
    ...(serviceName
      ? invalids("spec.serviceName", serviceName, validateDnsLabel(serviceName))
      : []),
    ...each(volumeClaimTemplates, "spec.volumeClaimTemplates", validateClaimTemplate),
  ];
}

function validateClaimTemplate({ metadata, spec }: V1PersistentVolumeClaim, field: string): Errors {
  const name = metadata?.name;
  return [
    ...(name
      ? invalids(`${field}.metadata.name`, name, validateDnsLabel(name))
      : [required(`${field}.metadata.name`)]),
    ...validateClaimSpec(spec ?? {}, `${field}.spec`),
  ];
}

/** The template with the volumes that its pods get: containers may mount them. */
function withClaims({ template, volumeClaimTemplates }: V1StatefulSetSpec): V1PodTemplateSpec {
  const names = (volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name ?? "");
  if (!template?.spec || names.length === 0) return template;
  const own = (template.spec.volumes ?? []).filter(({ name }) => !names.includes(name));
  const claimed = names
    .filter((name) => name !== "")
    .map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return { ...template, spec: { ...template.spec, volumes: [...own, ...claimed] } };
}

function validatePolicy(policy: string | undefined, field: string): Errors {
  if (!policy) return [required(field)];
  const isKnown = policy === "OrderedReady" || policy === "Parallel";
  return when(!isKnown, invalid(field, policy, "must be 'OrderedReady' or 'Parallel'"));
}

function validateStrategy(strategy: V1StatefulSetUpdateStrategy, field: string): Errors {
  const { type, rollingUpdate } = strategy;
  const path = `${field}.rollingUpdate`;
  if (!type) return [required(field)];
  if (type === "OnDelete") {
    const rule = "only allowed for updateStrategy 'RollingUpdate'";
    return when(rollingUpdate !== undefined, invalid(path, rollingUpdate, rule));
  }
  if (type !== "RollingUpdate") {
    return [invalid(field, strategy, "must be 'RollingUpdate' or 'OnDelete'")];
  }
  const unavailable = `${path}.maxUnavailable`;
  return [
    ...nonNegative(`${path}.partition`, rollingUpdate?.partition),
    ...maybe(rollingUpdate?.maxUnavailable, (share) => [
      ...validateShare(share, unavailable),
      ...when(Number.parseInt(String(share), 10) === 0, invalid(unavailable, share, "cannot be 0")),
      ...notAboveAll(share, unavailable),
    ]),
  ];
}

function validateRetention({
  whenDeleted,
  whenScaled,
}: V1StatefulSetPersistentVolumeClaimRetentionPolicy): Errors {
  const path = "spec.persistentVolumeClaimRetentionPolicy";
  const known = ["Delete", "Retain"];
  const check = (field: string, policy = ""): Errors =>
    when(!known.includes(policy), notSupported(`${path}.${field}`, policy, known));
  return [...check("whenDeleted", whenDeleted), ...check("whenScaled", whenScaled)];
}

const IMMUTABLE_SPEC =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/** @spec ValidateStatefulSetUpdate */
export function validateStatefulSetChange({ spec }: V1StatefulSet, old: V1StatefulSet): Errors {
  return when(
    !equalSemantic(immutablePart(spec), immutablePart(old.spec)),
    forbidden("spec", IMMUTABLE_SPEC),
  );
}

function immutablePart(spec: V1StatefulSetSpec | undefined): object {
  const { selector, serviceName, podManagementPolicy, volumeClaimTemplates } = spec ?? {};
  return { selector, serviceName, podManagementPolicy, volumeClaimTemplates };
}

/** Counts that cannot be. @spec ValidateStatefulSetStatusUpdate */
export function validateStatefulSetStatus({ status }: V1StatefulSet, old: V1StatefulSet): Errors {
  const { replicas = 0, readyReplicas = 0, currentReplicas = 0 } = status ?? {};
  const { updatedReplicas = 0, availableReplicas = 0, collisionCount } = status ?? {};
  const before = old.status?.collisionCount;
  const tooMany = "cannot be greater than status.replicas";
  const notReady = "cannot be greater than status.readyReplicas";
  return [
    ...nonNegative("status.replicas", replicas),
    ...nonNegative("status.readyReplicas", readyReplicas),
    ...nonNegative("status.currentReplicas", currentReplicas),
    ...nonNegative("status.updatedReplicas", updatedReplicas),
    ...nonNegative("status.availableReplicas", availableReplicas),
    ...nonNegative("status.observedGeneration", status?.observedGeneration),
    ...nonNegative("status.collisionCount", collisionCount),
    ...atMost("status.readyReplicas", readyReplicas, replicas, tooMany),
    ...atMost("status.currentReplicas", currentReplicas, replicas, tooMany),
    ...atMost("status.updatedReplicas", updatedReplicas, replicas, tooMany),
    ...atMost("status.availableReplicas", availableReplicas, replicas, tooMany),
    ...atMost("status.availableReplicas", availableReplicas, readyReplicas, notReady),
    ...when(
      before !== undefined && (collisionCount ?? -1) < before,
      invalid("status.collisionCount", collisionCount ?? 0, "cannot be decremented"),
    ),
  ];
}
