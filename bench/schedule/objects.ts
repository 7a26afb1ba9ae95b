/** What the generated nodes have. */
const CAPACITY = { cpu: "32", memory: "256Gi", pods: "110", "ephemeral-storage": "100Gi" };

/** A node without an agent that says it is ready. */
export function nodeText(name: string, index: number): string {
  const now = new Date().toISOString().replace(/\.\d+/, "");
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "topology.kubernetes.io/zone": `z${index % 3}`,
      },
    },
    status: {
      capacity: CAPACITY,
      allocatable: CAPACITY,
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
    },
  });
}

/** A Pod of the one template. */
export function podText(
  name: string,
  index: number,
  schedulerName?: string,
  more: object = {},
): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: `a${index % 10}`, set: "bench" } },
    spec: {
      ...more,
      ...(schedulerName && { schedulerName }),
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: "c",
          image: "nginx",
          resources: { requests: { cpu: "100m", memory: "100Mi" } },
        },
      ],
    },
  });
}

const BENCH = { matchLabels: { set: "bench" } };

/** What Pods may ask for besides, by name. */
export const DEMANDS: Readonly<Record<string, object>> = {
  "required anti-affinity by host": {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: "kubernetes.io/hostname", labelSelector: BENCH },
        ],
      },
    },
  },
  "required spread by zone": {
    topologySpreadConstraints: [
      {
        topologyKey: "topology.kubernetes.io/zone",
        maxSkew: 1,
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: BENCH,
      },
    ],
  },
};

/** A node's sign of life. */
export function leaseText(name: string, resourceVersion?: string): string {
  const renewTime = new Date().toISOString().replace("Z", "000Z");
  return JSON.stringify({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-node-lease", resourceVersion },
    spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime },
  });
}

/** Runs `work` for 0 ≤ index < count, `width` at a time. */
export async function inParallel(
  count: number,
  width: number,
  work: (index: number, lane: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lanes = Array.from({ length: width }, async (_, lane) => {
    while (next < count) await work(next++, lane);
  });
  await Promise.all(lanes);
}
