import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { waitFor } from "../../test/support/private-containerd.ts";
import { SimDisk } from "../../test/sim/faults/sim-disk.ts";
import { openSimStore } from "../../test/sim/store/sim-backend.ts";
import { requestOf } from "../../test/support/api-server.ts";
import { deployment, node } from "../../test/support/builders.ts";
import { Deployment } from "../api/apps/deployment.ts";
import { ReplicaSet } from "../api/apps/replica-set.ts";
import { Event } from "../api/core/event.ts";
import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod.ts";
import { Secret } from "../api/core/secret.ts";
import { ServiceAccount } from "../api/core/service-account.ts";
import type { Kind } from "../api/machinery/kind.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import { silentLogger } from "../base/logger.ts";
import { SeededRandom } from "../base/seeded-random.ts";
import { SystemClock } from "../base/system-clock.ts";
import type { V1ManagedFieldsEntry } from "../gen/types.ts";
import { createAuthority, createKeyPem } from "../wire/x509/certificate.ts";
import { startControlPlane } from "./compose-server.ts";

const admin = { name: "admin", groups: ["system:masters", "system:authenticated"] };
const inDefault = { namespace: "default" };

/** A control plane in this process; nothing runs what it schedules. */
async function start() {
  const [clock, random] = [new SystemClock(), new SeededRandom(1)];
  const store = await openSimStore(new SimDisk(random), "data");
  const plane = await startControlPlane({
    ...{ store, clock, random, logger: silentLogger },
    ...{ version: { major: "1", minor: "36" }, hostName: "machine" },
    ...{ serviceCidr: "10.96.0.0/24", podCidr: "10.244.0.0/16", nodePodPrefix: 24 },
    clusterDns: "10.96.0.10",
    serviceAccountKey: createKeyPem(),
    ca: createAuthority("test", { now: clock.now(), random }).certificatePem,
    definitions: () => "",
    ...{ runsControllers: true, runsScheduler: true },
  });
  return {
    client: plane.client(admin),
    /** Who the bearer of a token is. */
    ask: async (token: string) => {
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
      const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
      const headers = { authorization: `Bearer ${token}` };
      const response = await plane.server.pipeline.handle(requestOf("POST", path, body, headers));
      return { status: response.status, text: response.body.toString() };
    },
    close: async () => {
      await plane.close();
      await store.close();
    },
  };
}

/** `kube-scheduler status`: who manages what of an object. */
function managersOf(object: KubeObject | undefined): readonly string[] {
  const entries = (object?.metadata?.managedFields ?? []) as readonly V1ManagedFieldsEntry[];
  return entries.map(({ manager, subresource }) =>
    [manager, subresource].filter(Boolean).join(" "),
  );
}

describe("startControlPlane", () => {
  it("records its parts under upstream's names", async () => {
    const { client, close } = await start();
    const only = async <T extends KubeObject>(kind: Kind<T>): Promise<T | undefined> =>
      (await client.list(kind, inDefault)).items[0];
    const scheduled = async (): Promise<boolean> => Boolean((await only(Pod))?.spec?.nodeName);
    try {
      await client.create(Deployment, deployment("web"));
      await waitFor(async () => managersOf(await only(Pod)).includes("kube-scheduler status"));
      assert.deepEqual(managersOf(await only(Pod)), [
        "kube-controller-manager",
        "kube-scheduler status",
      ]);
      await client.create(Node, node("one"));
      await waitFor(scheduled);
      assert.deepEqual(managersOf(await only(ReplicaSet)), [
        "kube-controller-manager",
        "kube-controller-manager status",
      ]);
      const events = async () => (await client.list(Event, inDefault)).items;
      const about = (reason: string) => async () =>
        (await events()).find((event) => event.reason === reason);
      await waitFor(async () => Boolean(await about("Scheduled")()));
      const { source, count, firstTimestamp, ...told } = (await about("Scheduled")())!;
      assert.deepEqual([source, count, firstTimestamp], [{}, undefined, undefined]);
      assert.deepEqual(
        [told.reportingComponent, told.reportingInstance, told.action],
        ["default-scheduler", "default-scheduler-machine", "Binding"],
      );
      assert.match(String(told.eventTime), /\.\d{6}Z$/);
      const { source: creator } = (await about("SuccessfulCreate")())!;
      assert.deepEqual(creator, { component: "replicaset-controller" });
    } finally {
      await close();
    }
  });

  it("CS-10 fills a Secret with a token that holds until its account is gone, and notes its use", async () => {
    const { client, ask, close } = await start();
    const key = { ...inDefault, name: "robot-token" };
    try {
      await client.create(ServiceAccount, { metadata: { ...inDefault, name: "robot" } });
      await client.create(Secret, {
        type: "kubernetes.io/service-account-token",
        metadata: { ...key, annotations: { "kubernetes.io/service-account.name": "robot" } },
      });
      const data = async (): Promise<Readonly<Record<string, string>>> =>
        (await client.get(Secret, key)).data ?? {};
      await waitFor(async () => Boolean((await data())["token"]));
      assert.deepEqual(Object.keys(await data()).sort(), ["ca.crt", "namespace", "token"]);
      const token = Buffer.from((await data())["token"]!, "base64").toString();
      const whoAmI = () => ask(token);
      const { status, text } = await whoAmI();
      assert.equal(status, 201, text);
      assert.equal(
        JSON.parse(text).status.userInfo.username,
        "system:serviceaccount:default:robot",
      );
      const label = "kubernetes.io/legacy-token-last-used";
      const today = new Date().toISOString().slice(0, 10);
      await waitFor(
        async () => (await client.get(Secret, key)).metadata?.labels?.[label] === today,
      );
      await client.delete(ServiceAccount, { ...inDefault, name: "robot" });
      assert.equal((await whoAmI()).status, 401);
      await waitFor(async () =>
        (await client.list(Secret, inDefault)).items.every(
          ({ metadata }) => metadata?.name !== key.name,
        ),
      );
    } finally {
      await close();
    }
  });
});
