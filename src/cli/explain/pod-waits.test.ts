import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import type { V1ContainerStatus, V1Node, V1Pod, V1PodSpec, V1PodStatus } from "../../gen/types.ts";
import type { Happening } from "./finding.ts";
import { podWaits } from "./pod-waits.ts";

const container = { name: "app", image: "app:1" };

function status(parts: Partial<V1ContainerStatus>): V1PodStatus {
  const own = { name: "app", ready: false, restartCount: 0, image: "", imageID: "", ...parts };
  return { phase: "Running", containerStatuses: [own as V1ContainerStatus] };
}

function subject(spec: Partial<V1PodSpec>, is: V1PodStatus): V1Pod {
  return pod("p", { spec: { nodeName: "n1", containers: [container], ...spec }, status: is });
}

const waiting = (reason: string, message?: string): V1PodStatus =>
  status({ state: { waiting: { reason, ...(message && { message }) } } });

const warning = (reason: string, message: string): Happening => ({ reason, message });

const probe = { httpGet: { path: "/ok", port: 8080 } };
const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };
const pending = waiting("PodInitializing");

function init(parts: Partial<V1ContainerStatus>): V1PodStatus {
  const own = { name: "first", ready: false, restartCount: 0, image: "", imageID: "", ...parts };
  return { ...pending, initContainerStatuses: [own as V1ContainerStatus] };
}

const first = { name: "first", image: "first:1" };
const DESCRIBE = "kubectl describe pod p";

describe("podWaits", () => {
  //  what is the case, the Pod, its events → problem | remedy | more
  const rows: readonly (readonly [string, V1Pod, readonly Happening[], readonly string[]])[] = [
    [
      "an image that is not there",
      subject({}, waiting("ImagePullBackOff", 'Back-off pulling image "app:1"')),
      [],
      [
        'container app waits: ImagePullBackOff: Back-off pulling image "app:1"',
        "check the name and tag of app:1 and that its registry answers (a private one: imagePullSecrets), or bring it with 'skiff image load'",
        DESCRIBE,
      ],
    ],
    [
      "an image that is on its way",
      subject({}, waiting("ContainerCreating")),
      [warning("Pulling", 'Pulling image "app:1"')],
      ['container app waits for its image: Pulling image "app:1"', DESCRIBE],
    ],
    [
      "a volume that cannot be mounted",
      subject({}, waiting("ContainerCreating")),
      [warning("FailedMount", 'MountVolume.SetUp failed for volume "v" : secret "s" not found')],
      [
        'FailedMount: MountVolume.SetUp failed for volume "v" : secret "s" not found',
        "create the secret s, or mark it optional",
        DESCRIBE,
      ],
    ],
    [
      "settings that are missing",
      subject({}, waiting("CreateContainerConfigError", 'configmap "c" not found')),
      [],
      [
        'container app waits: CreateContainerConfigError: configmap "c" not found',
        "create the configmap c, or mark it optional",
        DESCRIBE,
      ],
    ],
    [
      "a key that is missing",
      subject(
        {},
        waiting("CreateContainerConfigError", "couldn't find key k in ConfigMap default/c"),
      ),
      [],
      [
        "container app waits: CreateContainerConfigError: couldn't find key k in ConfigMap default/c",
        "add the key k to the configmap default/c",
        DESCRIBE,
      ],
    ],
    [
      "a program that crashes",
      subject(
        { containers: [{ ...container, resources: { limits: { memory: "1Mi" } } }] },
        status({
          restartCount: 3,
          state: { waiting: { reason: "CrashLoopBackOff" } },
          lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
        }),
      ),
      [],
      [
        "container app waits: CrashLoopBackOff after 3 restarts; it last ended with exit code 137 (OOMKilled)",
        "more than its memory limit of 1Mi, or a program that needs less",
        "kubectl logs p -c app --previous",
      ],
    ],
    [
      "an init container that runs",
      subject({ initContainers: [first] }, init({ state: running })),
      [],
      [
        "init container first has not ended: it runs since 2026-01-01T00:00:00Z, and the others wait for it",
        "kubectl logs p -c first",
      ],
    ],
    [
      "an init container that failed",
      subject({ initContainers: [first] }, init({ state: { terminated: { exitCode: 2 } } })),
      [],
      ["init container first ended with exit code 2", "kubectl logs p -c first"],
    ],
    [
      "a sidecar that has not started",
      subject(
        { initContainers: [{ ...first, restartPolicy: "Always", startupProbe: probe }] },
        init({ state: running, started: false }),
      ),
      [],
      [
        "init container first runs, but is not started: its startup probe has not succeeded yet",
        "the startup probe (HTTP GET /ok on port 8080) would have to succeed",
        "kubectl logs p -c first",
      ],
    ],
    [
      "init containers that are done",
      subject(
        { initContainers: [first, { ...first, name: "side", restartPolicy: "Always" }] },
        {
          ...pending,
          initContainerStatuses: [
            { name: "first", state: { terminated: { exitCode: 0 } } },
            { name: "side", started: true, state: running },
          ] as V1ContainerStatus[],
        },
      ),
      [],
      ["container app is being created", DESCRIBE],
    ],
    [
      "a readiness probe that fails",
      subject(
        { containers: [{ ...container, readinessProbe: probe }] },
        status({ state: running }),
      ),
      [
        warning("Unhealthy", "Liveness probe failed: other"),
        warning("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500"),
      ],
      [
        "container app runs, but is not ready: Readiness probe failed: HTTP probe failed with statuscode: 500",
        "the readiness probe (HTTP GET /ok on port 8080) would have to succeed",
        "kubectl logs p -c app",
      ],
    ],
    [
      "a volume that another node has",
      subject({ containers: [container] }, pending),
      [warning("FailedAttachVolume", 'Multi-Attach error for volume "v" it is in use')],
      [
        'FailedAttachVolume: Multi-Attach error for volume "v" it is in use',
        "the Pods that use it on its other node (kubectl get volumeattachments) would have to go; is that node off for good: " +
          "kubectl taint node NODE node.kubernetes.io/out-of-service=nodeshutdown:NoExecute",
        DESCRIBE,
      ],
    ],
    [
      "a readiness gate",
      subject({ readinessGates: [{ conditionType: "a.b/c" }] }, status({ ready: true })),
      [],
      [
        "the condition a.b/c, a readiness gate, is not there",
        "whoever keeps that condition must set it to True",
      ],
    ],
    [
      "a node that has not begun",
      subject({}, { phase: "Pending" }),
      [],
      ["the kubelet of n1 has not begun with it", "skiff why node/n1"],
    ],
    [
      "a network that is not there",
      subject({}, { phase: "Pending" }),
      [warning("FailedCreatePodSandBox", "no network")],
      ["FailedCreatePodSandBox: no network", DESCRIBE],
    ],
    [
      "a Pod that was evicted",
      subject({}, { phase: "Failed", reason: "Evicted", message: "low on memory" }),
      [],
      ["It has failed: Evicted: low on memory"],
    ],
    [
      "a program that failed",
      subject(
        {},
        { ...status({ state: { terminated: { exitCode: 1, reason: "Error" } } }), phase: "Failed" },
      ),
      [],
      ["container app ended with exit code 1", "kubectl logs p -c app"],
    ],
    [
      "a resize that cannot be",
      subject(
        {},
        {
          ...status({ ready: true }),
          conditions: [
            { type: "PodResizePending", status: "True", reason: "Infeasible", message: "too much" },
          ],
        },
      ),
      [],
      ["it cannot be resized: Infeasible: too much"],
    ],
    ["a Pod that is Ready", subject({}, status({ ready: true })), [], []],
    ["a Pod that has done its work", subject({}, { phase: "Succeeded" }), [], []],
  ];
  for (const [what, is, events, expected] of rows)
    it(what, () => {
      const found = podWaits(is, events);
      assert.deepEqual(
        found.flatMap(({ problem, remedy, more }) => [problem, remedy, more]).filter(Boolean),
        expected,
      );
    });

  it("says what keeps a Pod that is being deleted", () => {
    const gone = subject({}, status({}));
    const metadata = {
      ...gone.metadata!,
      deletionTimestamp: "2026-01-01T00:00:00Z",
      finalizers: ["a.b/c"],
    };
    const [found] = podWaits({ ...gone, metadata }, []);
    assert.match(found!.problem, /kept by finalizers: a\.b\/c$/);
  });

  const silent = {
    metadata: { name: "n1" },
    status: { conditions: [{ type: "Ready", status: "Unknown", reason: "NodeStatusUnknown" }] },
  } as V1Node;

  it("says that the node of a Pod that is being deleted is silent, and what helps", () => {
    const gone = subject({}, status({}));
    const metadata = {
      ...gone.metadata!,
      deletionTimestamp: "2026-01-01T00:00:30Z",
      deletionGracePeriodSeconds: 30,
    };
    const [ending] = podWaits({ ...gone, metadata }, []);
    assert.equal(
      ending!.problem,
      "It is being deleted since 2026-01-01T00:00:00Z: its containers are ending, and have until 2026-01-01T00:00:30Z",
    );
    const [lost] = podWaits({ ...gone, metadata }, [], silent);
    assert.equal(
      lost!.problem,
      "It is being deleted since 2026-01-01T00:00:00Z, and its node n1 is not ready: NodeStatusUnknown",
    );
    assert.match(
      lost!.remedy!,
      /out-of-service=nodeshutdown:NoExecute, or kubectl delete pod p --force/,
    );
  });

  it("says that the node of a Pod is silent before all that its last status says", () => {
    assert.deepEqual(podWaits(subject({}, status({ ready: true })), [], silent), [
      { problem: "its node n1 is not ready: NodeStatusUnknown", more: "skiff why node/n1" },
    ]);
  });

  const unready = {
    metadata: { name: "n1" },
    status: {
      conditions: [
        { type: "Ready", status: "False", reason: "KubeletNotReady", message: "no network" },
      ],
    },
  } as V1Node;
  const OF_NODE = {
    problem: "its node n1 is not ready: KubeletNotReady: no network",
    more: "skiff why node/n1",
  };

  it("says that the node of a Pod is not ready beside what its kubelet says", () => {
    const crashed = subject({}, waiting("CrashLoopBackOff"));
    const own = podWaits(crashed, []);
    assert.equal(own.length, 1);
    assert.deepEqual(podWaits(crashed, [], unready), [...own, OF_NODE]);
  });

  it("advises nobody to give up a node whose kubelet tells that it is not ready", () => {
    const gone = subject({}, status({}));
    const metadata = {
      ...gone.metadata!,
      deletionTimestamp: "2026-01-01T00:00:00Z",
      finalizers: ["a.b/c"],
    };
    const own = podWaits({ ...gone, metadata }, []);
    assert.deepEqual(podWaits({ ...gone, metadata }, [], unready), [...own, OF_NODE]);
  });

  it("gives commands that name the namespace of the Pod", () => {
    const elsewhere = subject({}, waiting("CrashLoopBackOff"));
    const metadata = { ...elsewhere.metadata!, namespace: "shop" };
    assert.equal(
      podWaits({ ...elsewhere, metadata }, [])[0]!.more,
      "kubectl logs p -c app --previous -n shop",
    );
  });

  it("blames a probe only for what it did to the last run of the container", () => {
    const livenessProbe = { exec: { command: ["false"] } };
    const crashing = subject(
      { containers: [{ ...container, livenessProbe }] },
      status({
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 1, startedAt: "2026-01-01T00:10:00Z" } },
      }),
    );
    const blame = (lastTimestamp: string): string | undefined => {
      const message = "Container app failed liveness probe, will be restarted";
      return podWaits(crashing, [{ reason: "Killing", message, lastTimestamp }])[0]!.remedy;
    };
    assert.equal(blame("2026-01-01T00:09:59Z"), undefined);
    assert.match(blame("2026-01-01T00:10:00Z")!, /^it was killed for its liveness probe/);
  });

  it("says which probe a container was killed for", () => {
    const livenessProbe = { exec: { command: ["false"] } };
    const crashing = subject(
      { containers: [{ ...container, livenessProbe }] },
      waiting("CrashLoopBackOff"),
    );
    const events = [warning("Killing", "Container app failed liveness probe, will be restarted")];
    assert.equal(
      podWaits(crashing, events)[0]!.remedy,
      "it was killed for its liveness probe (exec false), which would have to succeed",
    );
  });
});
