import { PersistentVolumeClaim, storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { formatKey, keyOf } from "../../api/machinery/object.ts";
import { PROVISIONED_BY, STORAGE_PROVISIONER } from "../../api/storage/binding.ts";
import type { Instant } from "../../base/clock.ts";
import type { Gauge, MetricRegistry } from "../../base/metrics.ts";
import type { CacheReader } from "../../client/cache.ts";
import type { Plan } from "../../reconciler/controller.ts";
import type { LoopMeter } from "../../reconciler/loop-meter.ts";

/** In seconds. @spec k8s@1.36 pkg/volume/util/metrics.go storageOperationEndToEndLatencyMetric */
const OPERATION_BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];

/** In seconds: the client library's own. @spec client_golang prometheus DefBuckets */
const PROVISION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Plugins that upstream's controller manager knows volumes by. @spec k8s@1.36 cmd/kube-controller-manager/app/plugins.go */
const PLUGINS = {
  hostPath: "kubernetes.io/host-path",
  local: "kubernetes.io/local-volume",
  nfs: "kubernetes.io/nfs",
} as const;

/**
 * How many volumes and claims there are, counted when somebody asks, and how long it took until a claim had the volume that was made for it, and until
 * one that was released had gone. What was under way when the process began is not told.
 *
 * @spec k8s@1.36 pkg/controller/volume/persistentvolume/metrics/metrics.go
 */
export function binderMeter(registry: MetricRegistry, cache: CacheReader): LoopMeter {
  countWhenAsked(registry, cache);
  const seconds = registry.histogram(
    "volume_operation_total_seconds",
    "Storage operation end to end duration in seconds",
    OPERATION_BOUNDS,
    ["plugin_name", "operation_name"],
  );
  const begun = new Map<string, Begun>();
  const begin = (key: string, plugin: string | undefined, now: Instant): void => {
    if (plugin !== undefined && !begun.has(key)) begun.set(key, { plugin, at: now });
  };
  const end = (key: string, operation: string, now: Instant): void => {
    const since = begun.get(key);
    if (since) seconds.observe((now - since.at) / 1000, [since.plugin, operation]);
    begun.delete(key);
  };
  return {
    planned({ primary, plan, now }) {
      if (!primary) return () => {};
      if (primary.kind === PersistentVolume) {
        begin(volumeKey(primary.object), deleterOf(primary.object as PersistentVolume), now);
        return () => {};
      }
      const key = claimKey(primary.object);
      begin(key, makerOf(primary.object as PersistentVolumeClaim, plan), now);
      const isBound = (plan.status as PersistentVolumeClaim["status"])?.phase === "Bound";
      return ({ applied, tookMs }) => {
        if (isBound && applied.outcome === "done") end(key, "provision", now + tookMs);
      };
    },
    changed({ kind, old, object }, now) {
      if (object || !old) return;
      if (kind === PersistentVolume) end(volumeKey(old), "delete", now);
      if (kind === PersistentVolumeClaim) begun.delete(claimKey(old));
    },
  };
}

interface Begun {
  readonly plugin: string;
  readonly at: Instant;
}

const claimKey = (claim: PersistentVolumeClaim): string => `claim ${formatKey(keyOf(claim))}`;
const volumeKey = ({ metadata }: PersistentVolume): string => `volume ${metadata?.name ?? ""}`;

/** Who is asked for the volume of a claim that has none. */
function makerOf(claim: PersistentVolumeClaim, { writes = [] }: Plan): string | undefined {
  if (claim.spec?.volumeName) return undefined;
  const asked = writes.flatMap((write) =>
    write.verb === "update" && write.kind === PersistentVolumeClaim ? write.object : [],
  );
  return [claim, ...asked]
    .map(({ metadata }) => metadata?.annotations?.[STORAGE_PROVISIONER])
    .find((maker) => maker !== undefined);
}

/** Who is to delete a volume that is released. */
function deleterOf({ metadata, spec, status }: PersistentVolume): string | undefined {
  const isGoing = status?.phase === "Released" && spec?.persistentVolumeReclaimPolicy === "Delete";
  return isGoing ? (metadata?.annotations?.[PROVISIONED_BY] ?? spec?.csi?.driver) : undefined;
}

function countWhenAsked(registry: MetricRegistry, cache: CacheReader): void {
  const gauge = (name: string, help: string, ...labels: string[]): Gauge =>
    registry.gauge(`pv_collector_${name}`, `Gauge measuring ${help}`, labels);
  const volumes = "number of persistent volume currently";
  const claims = "number of persistent volume claim currently";
  const ofClaim = ["namespace", "storage_class", "volume_attributes_class"];
  const total = gauge("total_pv_count", "total number of persistent volumes", "plugin_name", "volume_mode"); // prettier-ignore
  const boundVolumes = gauge("bound_pv_count", `${volumes} bound`, "storage_class");
  const unboundVolumes = gauge("unbound_pv_count", `${volumes} unbound`, "storage_class");
  const boundClaims = gauge("bound_pvc_count", `${claims} bound`, ...ofClaim);
  const unboundClaims = gauge("unbound_pvc_count", `${claims} unbound`, ...ofClaim);
  registry.beforeText(() => {
    for (const one of [total, boundVolumes, unboundVolumes, boundClaims, unboundClaims])
      one.clear();
    for (const { spec, status } of cache.list(PersistentVolume)) {
      total.add(1, [pluginOf(spec), spec?.volumeMode ?? "Filesystem"]);
      const isBound = status?.phase === "Bound";
      (isBound ? boundVolumes : unboundVolumes).add(1, [spec?.storageClassName ?? ""]);
    }
    for (const claim of cache.list(PersistentVolumeClaim)) {
      const { metadata, spec, status } = claim;
      const attributes = spec?.volumeAttributesClassName ?? "";
      const labels = [metadata?.namespace ?? "", storageClassOf(claim), attributes];
      (status?.phase === "Bound" ? boundClaims : unboundClaims).add(1, labels);
    }
  });
}

/** @spec k8s@1.36 metrics.go getPVPluginName; pkg/volume/util GetFullQualifiedPluginNameForVolume */
function pluginOf(spec: PersistentVolume["spec"]): string {
  if (spec?.csi) return `kubernetes.io/csi:${spec.csi.driver}`;
  for (const [source, plugin] of Object.entries(PLUGINS))
    if (spec?.[source as keyof typeof PLUGINS]) return plugin;
  return "N/A";
}

/**
 * What came of making the cluster's own volumes, by class; `source`: what they were to be copied from.
 *
 * @spec sig-storage-lib-external-provisioner controller/metrics/metrics.go
 */
export function provisionerMeter(registry: MetricRegistry): LoopMeter {
  const labels = ["class", "source"];
  const about = "Broken down by storage class name.";
  const name = (rest: string): string => `controller_persistentvolumeclaim_provision_${rest}`;
  const made = registry.counter(
    name("total"),
    `Total number of persistent volumes provisioned succesfully. ${about}`,
    labels,
  );
  const failed = registry.counter(
    name("failed_total"),
    `Total number of persistent volume provision failed attempts. ${about}`,
    labels,
  );
  const seconds = registry.histogram(
    name("duration_seconds"),
    `Latency in seconds to provision persistent volumes. Failed provisioning attempts are ignored. ${about}`,
    PROVISION_BOUNDS,
    labels,
  );
  return {
    planned({ primary, plan }) {
      if (!primary) return () => {};
      const claim = primary.object as PersistentVolumeClaim;
      const values = [storageClassOf(claim), claim.spec?.dataSource?.kind ?? ""];
      const isMade = plan.writes?.some(({ verb }) => verb === "create") ?? false;
      return ({ applied, tookMs }) => {
        if (!isMade || applied.outcome === "failed") return failed.add(values);
        if (applied.outcome !== "done") return;
        made.add(values);
        seconds.observe(tookMs / 1000, values);
      };
    },
  };
}
