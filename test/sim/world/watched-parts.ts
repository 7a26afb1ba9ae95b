import { Job } from "../../../src/api/batch/job.ts";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { EndpointSlice } from "../../../src/api/discovery/endpoint-slice.ts";
import { PersistentVolumeClaim } from "../../../src/api/core/persistent-volume-claim.ts";
import { Pod } from "../../../src/api/core/pod.ts";
import { ReplicaSet } from "../../../src/api/apps/replica-set.ts";
import type { V1Pod } from "../../../src/gen/types.ts";
import type { WatchedPart } from "./sim-watcher.ts";

/** What watchers of a world follow: all of a kind, one namespace, by label, by field. */
export const watchedParts: readonly WatchedPart[] = [
  {
    name: "all-pods",
    kind: Pod,
    resource: "pods",
    options: {},
    selects: () => true,
  },
  {
    name: "default-pods",
    kind: Pod,
    resource: "pods",
    options: { namespace: "default" },
    selects: ({ metadata }) => metadata?.namespace === "default",
  },
  {
    name: "web-pods",
    kind: Pod,
    resource: "pods",
    options: { labelSelector: "app=web" },
    selects: ({ metadata }) => metadata?.labels?.["app"] === "web",
  },
  {
    name: "pods-of-node-1",
    kind: Pod,
    resource: "pods",
    options: { fieldSelector: "spec.nodeName=node-1" },
    selects: (object) => (object as V1Pod).spec?.nodeName === "node-1",
  },
  {
    name: "config-maps",
    kind: ConfigMap,
    resource: "configmaps",
    options: {},
    selects: () => true,
  },
  {
    name: "sets-of-blue",
    kind: ReplicaSet,
    resource: "apps/replicasets",
    options: { namespace: "blue" },
    selects: ({ metadata }) => metadata?.namespace === "blue",
  },
  {
    name: "jobs-of-default",
    kind: Job,
    resource: "batch/jobs",
    options: { namespace: "default" },
    selects: ({ metadata }) => metadata?.namespace === "default",
  },
  {
    name: "claims",
    kind: PersistentVolumeClaim,
    resource: "persistentvolumeclaims",
    options: {},
    selects: () => true,
  },
  {
    name: "slices",
    kind: EndpointSlice,
    resource: "discovery.k8s.io/endpointslices",
    options: {},
    selects: () => true,
  },
];
