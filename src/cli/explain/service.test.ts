import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod, service } from "../../../test/support/builders.ts";
import type { V1EndpointSlice, V1Pod, V1ServiceSpec } from "../../gen/types.ts";
import { explainService } from "./service.ts";

function labelled(name: string, labels: Record<string, string>, ready = false): V1Pod {
  const words = "containers with unready status: [app]";
  const is = ready ? { status: "True" } : { status: "False", message: words };
  const ports = [{ name: "web", containerPort: 80 }];
  return pod(name, {
    metadata: { labels },
    spec: { nodeName: "n", containers: [{ name: "app", image: "i", ports }] },
    status: { phase: "Running", conditions: [{ type: "Ready", ...is }] },
  });
}

const slice = (...ready: readonly boolean[]): V1EndpointSlice =>
  ({
    endpoints: ready.map((is) => ({ addresses: ["10.0.0.1"], conditions: { ready: is } })),
  }) as unknown as V1EndpointSlice;

const NOBODY = "It has no ready endpoints: whoever connects is refused.";

describe("explainService", () => {
  //  what is the case, its spec, Pods, slices → summary, then problem and remedy of each finding
  const rows: readonly (readonly [
    string,
    Partial<V1ServiceSpec>,
    readonly V1Pod[],
    readonly V1EndpointSlice[],
    readonly string[],
  ])[] = [
    [
      "all is well",
      {},
      [labelled("a", { app: "service" }, true)],
      [slice(true)],
      ["It sends to 1 ready endpoint."],
    ],
    [
      "its selector is off by a letter",
      { selector: { app: "web", tier: "front" } },
      [labelled("far", { x: "y" }), labelled("near", { app: "wbe", tier: "front" })],
      [],
      [
        NOBODY,
        "its selector app=web,tier=front matches no Pod of the namespace",
        "pod/near comes nearest, but for app=web (it has app=wbe)",
      ],
    ],
    [
      "a label is missing",
      { selector: { app: "web", tier: "front" } },
      [labelled("near", { app: "web" })],
      [],
      [
        NOBODY,
        "its selector app=web,tier=front matches no Pod of the namespace",
        "pod/near comes nearest, but for tier=front (it has no label tier)",
      ],
    ],
    [
      "there are no Pods",
      {},
      [],
      [],
      [
        NOBODY,
        "its selector app=service matches no Pod of the namespace",
        "Pods with these labels, or another selector",
      ],
    ],
    [
      "its Pods are not ready",
      {},
      [labelled("a", { app: "service" }), labelled("b", { app: "service" }, true)],
      [slice(false, true)],
      [
        "It sends to 1 ready endpoint.",
        "pod/a is not ready: containers with unready status: [app]",
      ],
    ],
    [
      "its Pods have ended",
      {},
      [pod("a", { metadata: { labels: { app: "service" } }, status: { phase: "Succeeded" } })],
      [],
      [NOBODY, "all 1 Pods that its selector matches have ended"],
    ],
    [
      "its port has a name that no container knows",
      { ports: [{ name: "http", port: 80, targetPort: "www" }] },
      [labelled("a", { app: "service" }, true)],
      [],
      [
        NOBODY,
        "port http goes to the container port named 'www', which none of its Pods has",
        "one of web as targetPort, a number, or a container port of that name",
      ],
    ],
    [
      "it has no selector",
      { selector: {} },
      [],
      [],
      [
        NOBODY,
        "it has no selector, and there is no EndpointSlice labelled kubernetes.io/service-name=service",
        "a selector, or an EndpointSlice with that label",
      ],
    ],
    [
      "somebody keeps its endpoints",
      { selector: {} },
      [],
      [slice(true, true)],
      ["It sends to 2 ready endpoints."],
    ],
    [
      "it is another name",
      { type: "ExternalName", externalName: "example.test" },
      [],
      [],
      ["It is a name for example.test in DNS, and sends nothing on."],
    ],
    [
      "nobody gives it an address",
      { type: "LoadBalancer" },
      [labelled("a", { app: "service" }, true)],
      [slice(true)],
      [
        "It sends to 1 ready endpoint.",
        "it has no address outside the cluster yet (type LoadBalancer)",
        "something that gives Services of this class their addresses, or type NodePort",
      ],
    ],
  ];
  for (const [what, spec, pods, slices, expected] of rows)
    it(what, () => {
      const found = explainService({ service: service("service", { spec }), pods, slices });
      const told = found.findings.flatMap(({ problem, remedy }) => [problem, remedy]);
      assert.deepEqual([found.summary, ...told.filter(Boolean)], expected);
    });

  it("gives a command that names its namespace", () => {
    const elsewhere = service("service", { metadata: { namespace: "shop" } });
    const { findings } = explainService({ service: elsewhere, pods: [], slices: [] });
    assert.equal(findings[0]!.more, "kubectl get pods --show-labels -n shop");
  });
});
