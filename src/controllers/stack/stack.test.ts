import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stackResource, type ComposeService, type Stack } from "../../api/compose/stack.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { plan, type Observed } from "./stack.ts";
import { wantedParts, type Part } from "./wanted.ts";

const WEB: ComposeService = {
  name: "web",
  image: "web:1",
  ports: [{ target: 80, published: 8080 }],
};
const DB: ComposeService = {
  name: "db",
  image: "db:1",
  volumes: [{ type: "volume", source: "data", target: "/data" }],
};
const AGENT: ComposeService = { name: "agent", image: "agent:1", deploy: { mode: "global" } };

function stackOf(services: readonly ComposeService[], more: object = {}): Stack {
  const stack = {
    metadata: { name: "app", namespace: "d", uid: "s" },
    spec: { services, ...more },
  };
  assert.deepEqual(
    stackResource.strategy.validate(stack),
    [],
    "the stack of a test is a valid one",
  );
  return stack;
}

/** What the server made of the parts of these services, `more` laid over each. */
function madeOf(services: readonly ComposeService[], more: object = {}): readonly Part[] {
  return wantedParts(stackOf(services)).map(({ kind, object }) => {
    const given = { uid: object.metadata!.name!, resourceVersion: "7", generation: 1 };
    return { kind, object: { ...object, ...more, metadata: { ...object.metadata, ...given } } };
  });
}

function observed(stack: Stack, owned: readonly Part[], namesakes: readonly Part[] = []): Observed {
  return { stack, owned, namesakes, stacks: new Map([["s", "app"], ["t", "other"]]) }; // prettier-ignore
}

function textOf(write: PlannedWrite): string {
  const name = "object" in write ? write.object.metadata?.name : write.key.name;
  return `${write.verb} ${write.kind.kind}/${name}`;
}

const writesOf = (given: Observed): string => (plan(given).writes ?? []).map(textOf).join(", ");

/** The spec of one part of a stack with this one service. */
function specOf(service: Partial<ComposeService>, kind: string, more: object = {}): unknown {
  const stack = stackOf([{ name: "web", image: "web:1", ...service }], more);
  const part = wantedParts(stack).find(
    (one) => `${one.kind.kind}/${one.object.metadata?.name}` === kind,
  );
  assert.ok(part, `there is no ${kind}`);
  return part.object.spec;
}

type PodSpec = { readonly template: { readonly spec: Record<string, unknown> } };
const podSpecOf = (service: Partial<ComposeService>, more: object = {}): Record<string, unknown> =>
  (specOf(service, "Deployment/web", more) as PodSpec).template.spec;
const containerOf = (service: Partial<ComposeService>): Record<string, unknown> =>
  (podSpecOf(service)["containers"] as Record<string, unknown>[])[0]!;

describe("stack plan: which objects", () => {
  const ROWS: readonly (readonly [string, readonly ComposeService[], string])[] = [
    ["a service", [{ name: "a", image: "a" }], "Service/a, Deployment/a"],
    ["with a volume", [DB], "Service/db, StatefulSet/db"],
    ["on every node", [AGENT], "Service/agent, DaemonSet/agent"],
    ["with a published port", [WEB], "Service/web, Service/web-published, Deployment/web"],
    [
      "with a port that may be any",
      [{ name: "a", image: "a", ports: [{ target: 80 }] }],
      "Service/a, Service/a-random-ports, Deployment/a",
    ],
    [
      "a folder of the node is no volume",
      [{ ...DB, volumes: [{ type: "bind", source: "/srv", target: "/data" }] }],
      "Service/db, Deployment/db",
    ],
    [
      "the book's pets",
      [WEB, DB],
      "Service/web, Service/web-published, Service/db, Deployment/web, StatefulSet/db",
    ],
  ];
  for (const [what, services, expected] of ROWS)
    it(what, () => {
      const creates = expected.split(", ").map((name) => `create ${name}`);
      assert.equal(writesOf(observed(stackOf(services), [])), creates.join(", "));
    });

  it("each is the stack's own, and carries the labels that the CLI looks for", () => {
    for (const { object } of wantedParts(
      stackOf([{ ...WEB, deploy: { labels: { tier: "front" } } }]),
    )) {
      assert.deepEqual(object.metadata?.ownerReferences, [
        {
          apiVersion: "compose.docker.com/v1alpha3",
          kind: "Stack",
          name: "app",
          uid: "s",
          controller: true,
          blockOwnerDeletion: true,
        },
      ]);
      assert.deepEqual(object.metadata?.labels, {
        tier: "front",
        "com.docker.service.id": "app-web",
        "com.docker.service.name": "web",
        "com.docker.stack.namespace": "app",
      });
    }
  });
});

describe("stack plan: changes", () => {
  const both = [WEB, DB];
  const made = madeOf(both);
  const other = (name: string, owner?: object): readonly Part[] =>
    madeOf(both)
      .filter(({ object }) => object.metadata?.name === name)
      .slice(0, 1)
      .map(({ kind, object }) => {
        const { ownerReferences: _, ...metadata } = object.metadata!;
        return {
          kind,
          object: {
            ...object,
            metadata: { ...metadata, ...(owner && { ownerReferences: [owner] }) },
          },
        } as Part;
      });
  const ownedBy = (uid: string): object => ({
    apiVersion: "compose.docker.com/v1alpha3",
    kind: "Stack",
    name: uid,
    uid,
    controller: true,
  });

  it("nothing where all is as wanted", () =>
    assert.equal(writesOf(observed(stackOf(both), made)), ""));

  it("another image changes the one workload", () => {
    const stack = stackOf([{ ...WEB, image: "web:2" }, DB]);
    assert.equal(writesOf(observed(stack, made)), "update Deployment/web");
  });

  it("what is no longer wanted goes", () => {
    assert.equal(
      writesOf(observed(stackOf([WEB]), made)),
      "delete Service/db, delete StatefulSet/db",
    );
    const hidden = stackOf([{ name: "web", image: "web:1" }, DB]);
    assert.equal(
      writesOf(observed(hidden, made)),
      "delete Service/web-published, update Deployment/web",
    );
  });

  it("a service that gets a volume becomes a StatefulSet", () => {
    const volumes = DB.volumes!;
    assert.equal(
      writesOf(observed(stackOf([{ ...WEB, volumes }]), madeOf([WEB]))),
      "delete Deployment/web, create StatefulSet/web",
    );
  });

  it("other volumes replace a StatefulSet, and so does an address a Service without one", () => {
    const volumes = [{ type: "volume", source: "more", target: "/data" }];
    const changed = stackOf([{ ...DB, volumes }]);
    assert.equal(writesOf(observed(changed, madeOf([DB]))), "delete StatefulSet/db");
    const inner = stackOf([{ ...DB, internal_ports: [{ port: 5432, protocol: "TCP" }] }]);
    assert.equal(writesOf(observed(inner, madeOf([DB]))), "delete Service/db");
    const gone = madeOf([DB]).filter(({ kind }) => kind.kind !== "Service");
    assert.equal(writesOf(observed(inner, gone)), "create Service/db");
  });

  it("what is on its way out is waited for", () => {
    const going = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    const leaving = made.map(({ kind, object }) => ({
      kind,
      object: { ...object, metadata: { ...object.metadata, ...going } },
    }));
    assert.equal(writesOf(observed(stackOf([{ ...WEB, image: "web:2" }]), leaving)), "");
    assert.match(
      writesOf(observed(stackOf(both), [], other("db", ownedBy("an earlier stack")))),
      /^create Service\/web, create Service\/web-published, create Deployment\/web, create StatefulSet\/db$/,
    );
  });

  it("keeps what the server gave a Service", () => {
    const given = { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7"] };
    const published = made.map((part): Part => {
      if (part.object.metadata?.name !== "web-published") return part;
      const [port] = (part.object.spec as { readonly ports: readonly object[] }).ports;
      const spec = { ...part.object.spec, ...given, ports: [{ ...port, nodePort: 31000 }] };
      return { kind: part.kind, object: { ...part.object, spec } };
    });
    assert.equal(writesOf(observed(stackOf(both), published)), "");
    const ports = [{ target: 80, published: 8080 }, { target: 81, published: 8081 }]; // prettier-ignore
    const [write] = plan(observed(stackOf([{ ...WEB, ports }, DB]), published)).writes!;
    assert.ok(write?.verb === "update");
    const { spec } = write.object as {
      spec: { clusterIP: string; ports: { nodePort?: number }[] };
    };
    assert.equal(spec.clusterIP, "10.96.0.7");
    assert.deepEqual(spec.ports.map(({ nodePort }) => nodePort), [31000, undefined]); // prettier-ignore
  });

  it("a count wins over one by hand only where the stack has one", () => {
    const scaled = madeOf([WEB]).map(({ kind, object }) => ({
      kind,
      object:
        kind.kind === "Deployment" ? { ...object, spec: { ...object.spec, replicas: 5 } } : object,
    }));
    assert.equal(writesOf(observed(stackOf([WEB]), scaled)), "");
    const counted = stackOf([{ ...WEB, deploy: { replicas: 2 } }]);
    assert.equal(writesOf(observed(counted, scaled)), "update Deployment/web");
  });

  it("restarts by hand stay", () => {
    const restarted = madeOf([WEB]).map((part): Part => {
      if (part.kind.kind !== "Deployment") return part;
      const spec = part.object.spec as { readonly template: { readonly metadata: object } };
      const annotations = { "kubectl.kubernetes.io/restartedAt": "now" };
      const template = { ...spec.template, metadata: { ...spec.template.metadata, annotations } };
      return { kind: part.kind, object: { ...part.object, spec: { ...spec, template } } };
    });
    assert.equal(writesOf(observed(stackOf([WEB]), restarted)), "");
  });

  it("touches nothing where a name is somebody else's, and says whose", () => {
    const mine = plan(observed(stackOf(both), [], other("web")));
    assert.deepEqual(mine, {
      status: {
        phase: "Failure",
        message: "Service/web exists already and is not part of this stack",
      },
    });
    const { status } = plan(observed(stackOf(both), [], other("db", ownedBy("t"))));
    assert.deepEqual(status, {
      phase: "Failure",
      message: "Service/db is part of the stack other",
    });
    const foreign = { ...ownedBy("x"), apiVersion: "clouds.example.com/v1" };
    assert.deepEqual(plan(observed(stackOf(both), [], other("db", foreign))).status, {
      phase: "Failure",
      message: "Service/db exists already and is not part of this stack",
    });
  });

  it("a stack that is being deleted is left to the garbage collector", () => {
    const stack = stackOf(both);
    const going = { ...stack, metadata: { ...stack.metadata, deletionTimestamp: "now" } };
    assert.deepEqual(plan(observed(going, [])), {});
  });
});

describe("stack plan: status", () => {
  const status = (given: Observed): string => {
    const { phase, message } = plan(given).status as { phase: string; message: string };
    return `${phase}: ${message}`;
  };
  const ready = { observedGeneration: 1, readyReplicas: 1, updatedReplicas: 1 };
  const everywhere = { observedGeneration: 1, numberReady: 2, desiredNumberScheduled: 2, updatedNumberScheduled: 2 }; // prettier-ignore
  const stack = stackOf([WEB, DB]);

  it("counts what is waited for", () => {
    assert.equal(
      status(observed(stack, [])),
      "Progressing: Waiting for web (0/? ready), db (0/? ready)",
    );
    const half = madeOf([WEB, DB], { status: { ...ready, readyReplicas: 0 } });
    assert.equal(
      status(observed(stack, half)),
      "Progressing: Waiting for web (0/1 ready), db (0/1 ready)",
    );
  });
  it("waits for the update of Pods too", () => {
    const old = madeOf([WEB, DB], { status: { ...ready, updatedReplicas: 0 } });
    assert.match(status(observed(stack, old)), /^Progressing/);
  });
  it("is available when all are ready", () => {
    const done = madeOf([WEB, DB], { status: ready });
    assert.equal(status(observed(stack, done)), "Available: All services are ready");
    const nodes = madeOf([AGENT], { status: everywhere });
    assert.match(status(observed(stackOf([AGENT]), nodes)), /^Available/);
    const lagging = madeOf([AGENT], { status: { ...everywhere, numberReady: 1 } });
    assert.match(status(observed(stackOf([AGENT]), lagging)), /agent \(1\/2 ready\)/);
  });
  it("tells which write failed, and why", () => {
    const { statusOnFailure, writes = [] } = plan(observed(stack, []));
    assert.deepEqual(statusOnFailure!({ write: writes[0]!, message: "no quota" }), {
      phase: "Failure",
      message: "create Service/web: no quota",
    });
  });
});

describe("stack: what becomes of a service's words", () => {
  const ROWS: readonly (readonly [string, Partial<ComposeService>, object])[] = [
    ["command", { command: ["a", "b"] }, { args: ["a", "b"] }],
    ["entrypoint", { entrypoint: ["a"] }, { command: ["a"] }],
    ["environment", { environment: { A: "1", B: "" } }, { env: [{ name: "A", value: "1" }, { name: "B", value: "" }] }], // prettier-ignore
    ["ports", { ports: [{ target: 53, protocol: "udp" }] }, { ports: [{ containerPort: 53, protocol: "UDP" }] }], // prettier-ignore
    ["tty, stdin_open", { tty: true, stdin_open: true }, { tty: true, stdin: true }],
    ["working_dir", { working_dir: "/w" }, { workingDir: "/w" }],
    ["latest", { image: "web:latest" }, { imagePullPolicy: "Always" }],
    ["no tag", { image: "web" }, { imagePullPolicy: "IfNotPresent" }],
    ["pull_policy", { pull_policy: "Never" }, { imagePullPolicy: "Never" }],
    [
      "user, privileged, read_only, capabilities",
      { user: 7, privileged: true, read_only: true, cap_add: ["A"], cap_drop: ["B"] },
      {
        securityContext: {
          capabilities: { add: ["A"], drop: ["B"] },
          privileged: true,
          readOnlyRootFilesystem: true,
          runAsUser: 7,
        },
      },
    ],
    [
      "resources",
      { deploy: { resources: { limits: { cpus: "0.50", memory: 52428800 }, reservations: { cpus: "0.25" } } } }, // prettier-ignore
      { resources: { limits: { cpu: "500m", memory: "52428800" }, requests: { cpu: "250m" } } },
    ],
    [
      "health_check",
      { health_check: { test: ["CMD-SHELL", "true || false"], interval: 5e9, timeout: 2e9, retries: 4 } }, // prettier-ignore
      {
        livenessProbe: {
          exec: { command: ["sh", "-c", "true || false"] },
          failureThreshold: 4,
          periodSeconds: 5,
          timeoutSeconds: 2,
          successThreshold: 1,
        },
      },
    ],
    ["no health_check", { health_check: { test: ["NONE"] } }, { livenessProbe: undefined }],
  ];
  for (const [what, service, expected] of ROWS)
    it(what, () => {
      const container = containerOf(service);
      const part = Object.fromEntries(Object.keys(expected).map((key) => [key, container[key]]));
      assert.deepEqual(part, expected);
    });

  it("constraints are asked of nodes", () => {
    const constraints = {
      OperatingSystem: { Operator: "==", Value: "linux" },
      Hostname: { Operator: "!=", Value: "n1" },
      MatchLabels: { disk: { Operator: "==", Value: "ssd" } },
    };
    const { affinity } = podSpecOf({ deploy: { placement: { constraints } } });
    const matchExpressions = [
      { key: "kubernetes.io/os", operator: "In", values: ["linux"] },
      { key: "kubernetes.io/hostname", operator: "NotIn", values: ["n1"] },
      { key: "disk", operator: "In", values: ["ssd"] },
    ];
    const nodeSelectorTerms = [{ matchExpressions }];
    assert.deepEqual(affinity, {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
    });
  });

  it("hosts, names, namespaces and grace are the Pod's", () => {
    const spec = podSpecOf({
      extra_hosts: ["b:1.2.3.4", "a:1.2.3.4", "c:::1"],
      hostname: "h",
      pid: "host",
      ipc: "host",
      stop_grace_period: 1.5e9,
      pull_secret: "registry",
    });
    assert.deepEqual(spec["hostAliases"], [
      { ip: "1.2.3.4", hostnames: ["a", "b"] },
      { ip: "::1", hostnames: ["c"] },
    ]);
    const { hostname, hostPID, hostIPC, terminationGracePeriodSeconds, imagePullSecrets } = spec;
    assert.deepEqual(
      [hostname, hostPID, hostIPC, terminationGracePeriodSeconds, imagePullSecrets],
      ["h", true, true, 2, [{ name: "registry" }]],
    );
  });

  it("secrets and configs are files, folders of the node and memory are volumes", () => {
    const spec = podSpecOf(
      {
        volumes: [{ type: "bind", source: "/srv", target: "/data", read_only: true }],
        tmpfs: ["/tmp"],
        secrets: [{ source: "key", mode: 0o400 }, { source: "foreign", target: "f" }],
        configs: [{ source: "conf", target: "/etc/conf" }],
      },
      {
        secrets: { key: { file: "./a/key.txt" }, foreign: { external: { external: true, name: "real" } } },
        configs: { conf: { file: "app.conf" } },
      },
    ); // prettier-ignore
    const mode = 0o644;
    assert.deepEqual(spec["volumes"], [
      { name: "mount-0", hostPath: { path: "/srv", type: "" } },
      { name: "tmp-0", emptyDir: { medium: "Memory" } },
      { name: "secret-0", secret: { secretName: "key", items: [{ key: "key.txt", path: "secret-0", mode: 0o400 }], defaultMode: mode } }, // prettier-ignore
      { name: "secret-1", secret: { secretName: "real", items: [{ key: "file", path: "secret-1" }], defaultMode: mode } }, // prettier-ignore
      { name: "config-0", configMap: { name: "conf", items: [{ key: "app.conf", path: "config-0" }], defaultMode: mode } }, // prettier-ignore
    ]);
    const [container] = spec["containers"] as { readonly volumeMounts: readonly object[] }[];
    assert.deepEqual(container!.volumeMounts, [
      { name: "mount-0", mountPath: "/data", readOnly: true },
      { name: "tmp-0", mountPath: "/tmp" },
      { name: "secret-0", mountPath: "/run/secrets/key", subPath: "secret-0", readOnly: true },
      { name: "secret-1", mountPath: "/run/secrets/f", subPath: "secret-1", readOnly: true },
      { name: "config-0", mountPath: "/etc/conf", subPath: "config-0", readOnly: true },
    ]);
  });

  it("volumes are claims of a StatefulSet, each name once", () => {
    const volumes = [
      { type: "volume", source: "data", target: "/a" },
      { type: "volume", source: "data", target: "/b" },
      { type: "volume", target: "/c" },
    ];
    const spec = specOf({ volumes }, "StatefulSet/web") as {
      readonly serviceName: string;
      readonly volumeClaimTemplates: readonly KubeObject[];
    };
    assert.equal(spec.serviceName, "web");
    const names = spec.volumeClaimTemplates.map(({ metadata }) => metadata?.name);
    assert.deepEqual(names, ["data", "mount-2"]);
  });

  it("parallelism is how many may be out of service", () => {
    const strategyOf = (paralellism: number): unknown => {
      const spec = specOf({ deploy: { update_config: { paralellism } } }, "Deployment/web");
      return (spec as { strategy: { rollingUpdate: object } }).strategy.rollingUpdate;
    };
    assert.deepEqual(strategyOf(2), { maxUnavailable: 2, maxSurge: "25%" });
    assert.deepEqual(strategyOf(0), { maxUnavailable: "100%", maxSurge: "25%" });
  });

  it("ports", () => {
    const portsOf = (service: Partial<ComposeService>, name: string): unknown => {
      const { type, clusterIP, ports } = specOf(service, `Service/${name}`) as Record<
        string,
        unknown
      >;
      return [type, clusterIP, ports];
    };
    const ports = [{ target: 80, published: 8080 }, { target: 53, protocol: "udp" }]; // prettier-ignore
    const nameOnly = { name: "headless", port: 55555, protocol: "TCP", targetPort: 55555 };
    assert.deepEqual(portsOf({ ports }, "web"), ["ClusterIP", "None", [nameOnly]]);
    const web = { name: "8080-tcp", port: 8080, protocol: "TCP", targetPort: 80 };
    assert.deepEqual(portsOf({ ports }, "web-published"), ["LoadBalancer", undefined, [web]]);
    const dns = { name: "53-udp", port: 53, protocol: "UDP", targetPort: 53 };
    assert.deepEqual(portsOf({ ports }, "web-random-ports"), ["NodePort", undefined, [dns]]);
    const inner = { name: "90-tcp", port: 90, protocol: "TCP", targetPort: 90 };
    const internal_ports = [{ port: 90, protocol: "TCP" }];
    assert.deepEqual(portsOf({ internal_ports }, "web"), ["ClusterIP", undefined, [inner]]);
    assert.deepEqual(portsOf({ internal_service_type: "ClusterIP" }, "web"), [
      "ClusterIP",
      undefined,
      [nameOnly],
    ]);
    assert.deepEqual(portsOf({ internal_ports, internal_service_type: "Headless" }, "web"), [
      "ClusterIP",
      "None",
      [nameOnly],
    ]);
  });
});
