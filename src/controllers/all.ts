import type { KubeObject } from "../api/machinery/object.ts";
import { OWN_DRIVER } from "../api/storage/own-volumes.ts";
import type { Controller } from "../reconciler/controller.ts";
import {
  loopOf,
  runLoop,
  type Loop,
  type RunningLoop,
  type Surroundings,
} from "../reconciler/runner.ts";
import type { ServedKinds } from "../reconciler/served-kinds.ts";
import { attachDetachLoop } from "./attachdetach/attachdetach.ts";
import { attacherOf } from "./attachdetach/attacher.ts";
import { certificateApprover } from "./certificates/approver.ts";
import { certificateCleaner } from "./certificates/cleaner.ts";
import type { CertificatePort } from "./certificates/port.ts";
import { certificateSigner } from "./certificates/signer.ts";
import { clusterRoleAggregation } from "./clusterroleaggregation/clusterroleaggregation.ts";
import { cronJobController } from "./cronjob/cronjob.ts";
import { daemonSetController } from "./daemonset/daemonset.ts";
import { deploymentController } from "./deployment/deployment.ts";
import { disruptionLoop } from "./disruption/disruption.ts";
import { staleTargetLoop } from "./disruption/stale-target.ts";
import { endpointsController } from "./endpoints/endpoints.ts";
import { endpointSliceController } from "./endpointslice/endpointslice.ts";
import { endpointSliceMirroringController } from "./endpointslicemirroring/endpointslicemirroring.ts";
import { ephemeralVolumeLoop } from "./ephemeralvolume/ephemeralvolume.ts";
import { expandController } from "./expand/expand.ts";
import { garbageCollectorLoop } from "./garbagecollector/garbagecollector.ts";
import { jobLoop } from "./job/job.ts";
import { legacyTokenCleaner } from "./legacy-token-cleaner/legacy-token-cleaner.ts";
import { namespaceLoop } from "./namespace/namespace.ts";
import type { PodRange } from "./nodeipam/nodeipam.ts";
import { nodeIpamLoop } from "./nodeipam/nodeipam.ts";
import { nodeLifecycleLoop } from "./nodelifecycle/node-lifecycle-loop.ts";
import { persistentVolumeBinderLoop } from "./persistentvolume/binder.ts";
import { volumeProvisionerLoop } from "./persistentvolume/provisioner.ts";
import { podGcLoop } from "./podgc/podgc.ts";
import { pvcProtectionLoop } from "./pvcprotection/pvcprotection.ts";
import { pvProtectionController } from "./pvprotection/pvprotection.ts";
import { replicaSetController } from "./replicaset/replicaset.ts";
import { replicationController } from "./replication/replication.ts";
import { resourceQuotaLoop } from "./resourcequota/resourcequota.ts";
import { rootCaCertPublisher } from "./root-ca-cert-publisher/root-ca-cert-publisher.ts";
import { serviceAccountController } from "./serviceaccount/serviceaccount.ts";
import { accountTokenController } from "./serviceaccount/account-token.ts";
import { serviceAccountTokens, type SecretTokenSettings } from "./serviceaccount/tokens.ts";
import { stackController } from "./stack/stack.ts";
import { statefulSetController } from "./statefulset/statefulset.ts";
import { taintEvictionLoop } from "./tainteviction/tainteviction.ts";
import { ttlAfterFinishedController } from "./ttlafterfinished/ttlafterfinished.ts";
import { ttlLoop } from "./ttl/ttl.ts";
import { volumeReclaimLoop } from "./volumereclaim/volumereclaim.ts";

/** What the controllers must know of their cluster. */
export interface ControllerSettings {
  /** PEM, for `kube-root-ca.crt`. */
  readonly caCertificates: string;
  readonly podRange: PodRange;
  /** Signs tokens that lie in Secrets. */
  readonly issueSecretToken: SecretTokenSettings["issue"];
  /** Absent: nobody here can sign; requests for certificates stay as they are. */
  readonly certificates?: CertificatePort;
  /** Kinds with the verbs list, watch and delete; each storage once; no Events. */
  readonly served: ServedKinds;
}

/** THE list of controllers. */
export function allLoops(
  settings: ControllerSettings,
  surroundings: Surroundings,
): readonly Loop[] {
  const { cache, client, clock, logger } = surroundings;
  const loop = <P extends KubeObject, O>(controller: Controller<P, O>): Loop =>
    loopOf(controller, cache);
  const { certificates } = settings;
  return [
    ...(certificates
      ? [
          loop(certificateApprover(certificates)),
          loop(certificateSigner(certificates)),
          loop(certificateCleaner(certificates)),
        ]
      : []),
    attachDetachLoop(cache),
    loop(attacherOf(OWN_DRIVER)),
    loop(clusterRoleAggregation),
    loop(cronJobController),
    loop(daemonSetController(clock)),
    loop(deploymentController),
    disruptionLoop(cache),
    staleTargetLoop(cache),
    loop(endpointSliceController),
    loop(endpointSliceMirroringController),
    loop(endpointsController),
    ephemeralVolumeLoop(cache),
    loop(expandController),
    garbageCollectorLoop(settings.served, client, clock, logger),
    jobLoop(cache),
    loop(legacyTokenCleaner),
    namespaceLoop(settings.served, cache),
    nodeIpamLoop(cache, settings.podRange),
    nodeLifecycleLoop(cache, clock),
    persistentVolumeBinderLoop(cache),
    volumeProvisionerLoop(cache),
    podGcLoop(cache),
    pvcProtectionLoop(cache),
    loop(pvProtectionController),
    loop(replicaSetController),
    loop(replicationController),
    resourceQuotaLoop(settings.served, cache),
    loop(rootCaCertPublisher(settings.caCertificates)),
    loop(serviceAccountController),
    loop(accountTokenController),
    loop(
      serviceAccountTokens({
        caCertificates: settings.caCertificates,
        issue: settings.issueSecretToken,
      }),
    ),
    loop(stackController),
    loop(statefulSetController),
    taintEvictionLoop(cache),
    loop(ttlAfterFinishedController),
    ttlLoop(cache),
    volumeReclaimLoop(cache),
  ];
}

/** All controllers, running. */
export interface RunningControllers {
  readonly loops: readonly RunningLoop[];
  /** Resolves when all caches have synced. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Starts every controller. `surroundings.events` is not closed with them. */
export function startControllers(
  settings: ControllerSettings,
  surroundings: Surroundings,
): RunningControllers {
  const loops = allLoops(settings, surroundings).map((loop) => runLoop(loop, surroundings));
  return {
    loops,
    ready: Promise.all(loops.map((loop) => loop.ready)).then(() => {}),
    close: () => Promise.all(loops.map((loop) => loop.close())).then(() => {}),
  };
}
