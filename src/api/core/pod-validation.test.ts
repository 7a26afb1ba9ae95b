import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1Container, V1PodSpec, V1Volume } from "../../gen/types.ts";
import { withPodDefaults } from "./pod-defaults.ts";
import { podResource } from "./pod.ts";

const { strategy } = podResource;

function errorsOf(spec: Partial<V1PodSpec>): string[] {
  return errorLines(strategy.validate(withPodDefaults(pod("p", { spec }))));
}

function row(spec: Partial<V1PodSpec>, ...expected: string[]): void {
  it(JSON.stringify(spec), () => assert.deepEqual(errorsOf(spec), expected));
}

/** A row about the only container of a pod. */
function containerRow(parts: Partial<V1Container>, ...expected: string[]): void {
  it(JSON.stringify(parts), () => {
    const containers = [{ name: "app", image: "app:1", ...parts }];
    const paths = expected.map((line) => line.replace(/^\./, "spec.containers[0]."));
    assert.deepEqual(errorsOf({ containers, volumes: [{ name: "v" }] }), paths);
  });
}

/** A row about the only volume of a pod. */
function volumeRow(parts: Partial<V1Volume>, ...expected: string[]): void {
  it(JSON.stringify(parts), () => {
    const paths = expected.map((line) => line.replace(/^\./, "spec.volumes[0]."));
    assert.deepEqual(errorsOf({ volumes: [{ name: "v", ...parts }] }), paths);
  });
}

const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
  "and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', " +
  "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe("a pod's spec", () => {
  row({});
  row({ containers: [] }, "spec.containers Required");
  row(
    { restartPolicy: "Sometimes" },
    'spec.restartPolicy NotSupported: supported values: "Always", "OnFailure", "Never"',
  );
  row(
    { dnsPolicy: "None" },
    "spec.dnsConfig Required: must provide `dnsConfig` when `dnsPolicy` is None",
  );
  row(
    { dnsConfig: { nameservers: ["x"] } },
    "spec.dnsConfig.nameservers[0] Invalid: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
  );
  row(
    { activeDeadlineSeconds: 0 },
    "spec.activeDeadlineSeconds Invalid: must be between 1 and 2147483647, inclusive",
  );
  row({ hostname: "A" }, `spec.hostname Invalid: ${LABEL_RULE}`);
  row(
    { ephemeralContainers: [{ name: "debug", image: "x" }] },
    "spec.ephemeralContainers Forbidden: cannot be set on create",
  );
  row(
    { nodeName: "n", schedulingGates: [{ name: "g" }] },
    "spec.nodeName Forbidden: cannot be set until all schedulingGates have been cleared",
  );
  row(
    { tolerations: [{ operator: "Equal" }] },
    'spec.tolerations[0].operator Invalid: operator must be Exists when `key` is empty, which means "match all values and all keys"',
  );
  row(
    { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "", whenUnsatisfiable: "x" }] },
    "spec.topologySpreadConstraints[0].maxSkew Invalid: must be greater than zero",
    "spec.topologySpreadConstraints[0].topologyKey Required: can not be empty",
    'spec.topologySpreadConstraints[0].whenUnsatisfiable NotSupported: supported values: "DoNotSchedule", "ScheduleAnyway"',
  );
  row(
    { hostUsers: false, hostNetwork: true },
    "spec.securityContext.hostNetwork Forbidden: when `hostUsers` is false",
  );
  row(
    { overhead: { cpu: "-1" } },
    "spec.overhead[cpu] Invalid: must be greater than or equal to 0",
  );
});

describe("containers", () => {
  row(
    { containers: [{ name: "a", image: "i" }, { name: "a", image: "i" }] }, // prettier-ignore
    "spec.containers[1].name Duplicate a",
  );
  row(
    { initContainers: [{ name: "app", image: "i" }] },
    "spec.initContainers[0].name Duplicate app",
  );
  row(
    { initContainers: [{ name: "i", image: "i", livenessProbe: { exec: { command: ["x"] } } }] },
    "spec.initContainers[0].livenessProbe Forbidden: may not be set for init containers without restartPolicy=Always",
  );
  row({
    initContainers: [
      {
        name: "i",
        image: "i",
        restartPolicy: "Always",
        livenessProbe: { exec: { command: ["x"] } },
      },
    ],
  });
  containerRow({ name: "" }, ".name Required");
  containerRow({ name: "App" }, `.name Invalid: ${LABEL_RULE}`);
  containerRow({ image: "" }, ".image Required");
  containerRow({ image: " app" }, ".image Invalid: must not have leading or trailing whitespace");
  containerRow(
    { imagePullPolicy: "No" },
    '.imagePullPolicy NotSupported: supported values: "Always", "IfNotPresent", "Never"',
  );
  containerRow(
    { ports: [{ containerPort: 0 }, { containerPort: 70000 }] },
    ".ports[0].containerPort Required",
    ".ports[1].containerPort Invalid: must be between 1 and 65535, inclusive",
  );
  containerRow(
    {
      ports: [
        { containerPort: 1, hostPort: 1 },
        { containerPort: 2, hostPort: 1 },
      ],
    },
    ".ports[1].hostPort Duplicate TCP//1",
  );
  containerRow(
    { env: [{ name: "A", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
    ".env[0].valueFrom Invalid: may not be specified when `value` is not empty",
  );
  containerRow(
    { env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels" } } }] },
    ".env[0].valueFrom.fieldRef.fieldPath NotSupported: supported values: " +
      '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", ' +
      '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
  );
  containerRow({
    env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.labels['x']" } } }],
  });
  containerRow(
    { envFrom: [{}] },
    ".envFrom Invalid: must specify one of: `configMapRef` or `secretRef`",
  );
  containerRow(
    { volumeMounts: [{ name: "w", mountPath: "/a" }] },
    ".volumeMounts[0].name NotFound w",
  );
  containerRow(
    {
      volumeMounts: [
        { name: "v", mountPath: "/a" },
        { name: "v", mountPath: "/a" },
      ],
    },
    ".volumeMounts[1].mountPath Invalid: must be unique",
  );
  containerRow(
    { volumeMounts: [{ name: "v", mountPath: "/a", subPath: "../x" }] },
    ".volumeMounts.subPath Invalid: must not contain '..'",
  );
});

describe("resources", () => {
  containerRow(
    { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } },
    ".resources.requests Invalid: must be less than or equal to cpu limit of 1",
  );
  containerRow({ resources: { requests: { cpu: "1000m" }, limits: { cpu: "1" } } });
  containerRow(
    { resources: { requests: { cpu: "-1" } } },
    ".resources.requests[cpu] Invalid: must be greater than or equal to 0",
  );
  containerRow(
    { resources: { requests: { gpu: "1" } } },
    ".resources.requests[gpu] Invalid: must be a standard resource for containers",
  );
  containerRow(
    { resources: { requests: { "x.io/gpu": "1" } } },
    ".resources.limits Required: Limit must be set for non overcommitable resources",
  );
  containerRow(
    { resources: { limits: { "x.io/gpu": "500m" } } },
    ".resources.limits[x.io/gpu] Invalid: must be an integer",
    ".resources.requests[x.io/gpu] Invalid: must be an integer",
  );
});

describe("probes, hooks and security", () => {
  containerRow({ livenessProbe: {} }, ".livenessProbe Required: must specify a handler type");
  containerRow(
    { livenessProbe: { exec: { command: ["x"] }, tcpSocket: { port: 1 } } },
    ".livenessProbe.tcpSocket Forbidden: may not specify more than 1 handler type",
  );
  containerRow(
    { livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } },
    ".livenessProbe.successThreshold Invalid: must be 1",
  );
  containerRow({ readinessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } });
  containerRow(
    { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
    ".lifecycle.preStop.sleep Invalid: must be non-negative and less than terminationGracePeriodSeconds (30)",
  );
  containerRow(
    { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
    ".securityContext Invalid: cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
  );
  containerRow(
    { securityContext: { seccompProfile: { type: "Localhost" } } },
    ".securityContext.seccompProfile.localhostProfile Required: must be set when seccomp type is Localhost",
  );
});

describe("volumes", () => {
  volumeRow({ name: "V" }, `.name Invalid: ${LABEL_RULE}`);
  volumeRow(
    { emptyDir: {}, hostPath: { path: "/x" } },
    ".hostPath Forbidden: may not specify more than 1 volume type",
  );
  volumeRow({ hostPath: { path: "" } }, ".hostPath.path Required");
  volumeRow({ hostPath: { path: "/a/../b" } }, ".hostPath.path Invalid: must not contain '..'");
  volumeRow({ secret: {} }, ".secret.secretName Required");
  volumeRow(
    { configMap: { name: "c", defaultMode: 0o1000 } },
    ".configMap.defaultMode Invalid: must be a number between 0 and 0777 (octal), both inclusive",
  );
  volumeRow(
    { configMap: { name: "c", items: [{ key: "k", path: "..x" }] } },
    ".configMap.items[0].path Invalid: must not start with '..'",
  );
  volumeRow(
    { persistentVolumeClaim: { claimName: "" } },
    ".persistentVolumeClaim.claimName Required",
  );
  volumeRow({ nfs: { server: "s", path: "p" } }, ".nfs.path Invalid: must be an absolute path");
  volumeRow(
    { projected: { sources: [{ serviceAccountToken: { path: "t", expirationSeconds: 60 } }] } },
    ".projected.sources[0].serviceAccountToken.expirationSeconds Invalid: may not specify a duration less than 10 minutes",
    ".projected.sources[0].serviceAccountToken Forbidden: must not be specified when serviceAccountName is not set",
  );
});
