import { DaemonSet } from "../../../src/api/apps/daemon-set.ts";
import { Deployment } from "../../../src/api/apps/deployment.ts";
import { ReplicaSet } from "../../../src/api/apps/replica-set.ts";
import { StatefulSet } from "../../../src/api/apps/stateful-set.ts";
import { CronJob } from "../../../src/api/batch/cron-job.ts";
import { Job } from "../../../src/api/batch/job.ts";
import { Namespace } from "../../../src/api/core/namespace.ts";
import { Pod } from "../../../src/api/core/pod.ts";
import { Service } from "../../../src/api/core/service.ts";
import type { Kind } from "../../../src/api/machinery/kind.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { insist } from "./insist.ts";
import { NAMESPACES, placeOf, type Scene } from "./step.ts";

const [FIRST, ...OTHERS] = NAMESPACES;

/** Deletes everything that users made: whole namespaces, and in the first one owners before what is left. */
export async function clearAway(scene: Scene, clock: Clock): Promise<void> {
  const remove = async (kind: Kind, resource: string, where: (name: string) => boolean) => {
    for (const object of scene.present(resource)) {
      const { name = "", namespace = FIRST } = object.metadata ?? {};
      if (namespace !== FIRST || !where(name)) continue;
      const propagation = scene.oneOf("Background", "Foreground");
      await insist(clock, () => scene.client.delete(kind, placeOf(object), { propagation }));
    }
  };
  await remove(Namespace, "namespaces", (name) => (OTHERS as readonly string[]).includes(name));
  await remove(Deployment, "apps/deployments", () => true);
  await remove(ReplicaSet, "apps/replicasets", () => true);
  await remove(StatefulSet, "apps/statefulsets", () => true);
  await remove(DaemonSet, "apps/daemonsets", () => true);
  await remove(CronJob, "batch/cronjobs", () => true);
  await remove(Job, "batch/jobs", () => true);
  await remove(Pod, "pods", () => true);
  await remove(Service, "services", (name) => name !== "kubernetes");
}
