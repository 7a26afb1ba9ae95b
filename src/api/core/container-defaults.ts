import type {
  V1Container,
  V1EnvVar,
  V1HTTPGetAction,
  V1LifecycleHandler,
  V1Probe,
} from "../../gen/types.ts";
import { fill, mapField, mapItems } from "../strategy/strategy.ts";

/** Defaults of a container of any sort. @spec k8s@1.36 pkg/apis/core/v1 defaults.go SetDefaults_Container */
export function withContainerDefaults<C extends V1Container>(container: C): C {
  const filled = fill<V1Container>(container, {
    imagePullPolicy: pullPolicyOf(container.image ?? ""),
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  });
  const ported = mapField(filled, "ports", (ports) =>
    mapItems(ports, (port) => fill(port, { protocol: "TCP" })),
  );
  const probed = (["livenessProbe", "readinessProbe", "startupProbe"] as const).reduce(
    (result, field) => mapField(result, field, withProbeDefaults),
    ported,
  );
  const hooked = mapField(probed, "lifecycle", (lifecycle) =>
    mapField(mapField(lifecycle, "postStart", withHookDefaults), "preStop", withHookDefaults),
  );
  return mapField(hooked, "env", (env) => mapItems(env, withEnvDefaults)) as C;
}

/** `Always` for what may change under its name: the tag `latest`, written or meant. @spec SetDefaults_Container */
export function pullPolicyOf(image: string): "Always" | "IfNotPresent" {
  const [name = "", digest] = image.split("@", 2);
  const lastPart = name.slice(name.lastIndexOf("/") + 1);
  const colon = lastPart.indexOf(":");
  if (colon >= 0) return lastPart.slice(colon + 1) === "latest" ? "Always" : "IfNotPresent";
  return digest === undefined && lastPart !== "" ? "Always" : "IfNotPresent";
}

/** Zero means "not given" for these: they are plain numbers upstream, so a client cannot set zero. */
function withProbeDefaults(probe: V1Probe): V1Probe {
  const counted: V1Probe = {
    ...probe,
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
  const got = mapField(counted, "httpGet", withHttpDefaults);
  const complete = mapField(got, "grpc", (grpc) =>
    grpc.service === undefined ? { ...grpc, service: "" } : grpc,
  );
  const isSame = (Object.keys(complete) as (keyof V1Probe)[]).every(
    (field) => complete[field] === probe[field],
  );
  return isSame ? probe : complete;
}

function withHookDefaults(hook: V1LifecycleHandler): V1LifecycleHandler {
  return mapField(hook, "httpGet", withHttpDefaults);
}

function withHttpDefaults(action: V1HTTPGetAction): V1HTTPGetAction {
  return fill(action, { path: "/", scheme: "HTTP" });
}

function withEnvDefaults(variable: V1EnvVar): V1EnvVar {
  return mapField(variable, "valueFrom", (source) =>
    mapField(
      mapField(source, "fieldRef", (ref) => fill(ref, { apiVersion: "v1" })),
      "resourceFieldRef",
      (ref) => fill(ref, { divisor: "0" }),
    ),
  );
}
