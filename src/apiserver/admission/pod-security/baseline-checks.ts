import type { V1Container, V1LifecycleHandler, V1Probe } from "../../../gen/types.ts";
import {
  type Check,
  type CheckedPod,
  containersOf,
  named,
  plural,
  quoted,
  setters,
  sorted,
  type Violation,
} from "./check.ts";

const names = (containers: readonly V1Container[]): readonly string[] =>
  containers.map(({ name }) => name);

/** @spec k8s@1.36 pod-security-admission/policy check_*.go, level baseline; by ID */
export const baselineChecks: readonly Check[] = [
  { id: "appArmorProfile", since: 0, run: appArmorProfile },
  { id: "capabilities_baseline", since: 0, run: capabilities },
  { id: "hostNamespaces", since: 0, run: hostNamespaces },
  { id: "hostPathVolumes", since: 0, run: hostPathVolumes },
  { id: "hostPorts", since: 0, run: hostPorts },
  { id: "hostProbesAndHostLifecycle", since: 34, run: hostProbes },
  { id: "privileged", since: 0, run: privileged },
  { id: "procMount", since: 0, run: procMount },
  { id: "seLinuxOptions", since: 0, run: seLinuxOptions },
  { id: "seccompProfile_baseline", since: 19, run: seccompProfile },
  { id: "sysctls", since: 0, run: sysctls },
  { id: "windowsHostProcess", since: 0, run: hostProcess },
];

const APP_ARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";

function appArmorProfile(pod: CheckedPod): Violation | undefined {
  const isBad = (type: string | undefined): boolean =>
    type !== undefined && type !== "RuntimeDefault" && type !== "Localhost";
  const podType = pod.spec?.securityContext?.appArmorProfile?.type;
  const bad = containersOf(pod).filter((one) => isBad(one.securityContext?.appArmorProfile?.type));
  const annotations = Object.entries(pod.metadata?.annotations ?? {}).filter(
    ([key, value]) =>
      key.startsWith(APP_ARMOR_ANNOTATION) && !/^($|runtime\/default$|localhost\/)/.test(value),
  );
  const who = [
    setters(isBad(podType), names(bad)),
    annotations.length > 0
      ? named(
          "annotation",
          annotations.map(([key]) => key),
        )
      : "",
  ].filter((text) => text !== "");
  if (who.length === 0) return undefined;
  const values = sorted([
    ...(isBad(podType) ? [podType!] : []),
    ...bad.map((one) => one.securityContext!.appArmorProfile!.type),
    ...annotations.map(([, value]) => value),
  ]);
  return {
    reason: plural("forbidden AppArmor profile", values.length),
    detail: `${who.join(" and ")} must not set AppArmor profile type to ${quoted(values)}`,
  };
}

/** What containerd gives a container by itself. */
const DEFAULT_CAPABILITIES = new Set(
  (
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE " +
    "SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
  ).split(" "),
);

function capabilities(pod: CheckedPod): Violation | undefined {
  const added = (one: V1Container): readonly string[] =>
    (one.securityContext?.capabilities?.add ?? []).filter(
      (name) => !DEFAULT_CAPABILITIES.has(name),
    );
  const bad = containersOf(pod).filter((one) => added(one).length > 0);
  if (bad.length === 0) return undefined;
  const list = quoted(sorted(bad.flatMap(added)));
  return {
    reason: "non-default capabilities",
    detail: `${named("container", names(bad))} must not include ${list} in securityContext.capabilities.add`,
  };
}

function hostNamespaces({ spec }: CheckedPod): Violation | undefined {
  const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((name) => spec?.[name]);
  if (shared.length === 0) return undefined;
  return {
    reason: "host namespaces",
    detail: shared.map((name) => `${name}=true`).join(", "),
  };
}

function hostPathVolumes({ spec }: CheckedPod): Violation | undefined {
  const bad = (spec?.volumes ?? []).filter((volume) => volume.hostPath).map(({ name }) => name);
  return bad.length === 0
    ? undefined
    : { reason: "hostPath volumes", detail: named("volume", bad) };
}

function hostPorts(pod: CheckedPod): Violation | undefined {
  const portsOf = (one: V1Container): readonly string[] =>
    (one.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []));
  const bad = containersOf(pod).filter((one) => portsOf(one).length > 0);
  if (bad.length === 0) return undefined;
  const ports = sorted(bad.flatMap(portsOf));
  return {
    reason: "hostPort",
    detail:
      `${named("container", names(bad))} ${bad.length === 1 ? "uses" : "use"} ` +
      `${plural("hostPort", ports.length)} ${ports.join(", ")}`,
  };
}

function hostProbes(pod: CheckedPod): Violation | undefined {
  const hostsOf = (one: V1Container): readonly string[] => {
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = one;
    const handlers: readonly (V1Probe | V1LifecycleHandler | undefined)[] = [
      ...[livenessProbe, readinessProbe, startupProbe],
      ...[lifecycle?.postStart, lifecycle?.preStop],
    ];
    return handlers.flatMap((handler) =>
      [handler?.httpGet?.host, handler?.tcpSocket?.host].filter(
        (host) => host !== undefined && host !== "",
      ),
    ) as readonly string[];
  };
  const bad = containersOf(pod).filter((one) => hostsOf(one).length > 0);
  if (bad.length === 0) return undefined;
  const hosts = sorted(bad.flatMap(hostsOf));
  return {
    reason: "probe or lifecycle host",
    detail:
      `${named("container", sorted(names(bad)))} ${bad.length === 1 ? "uses" : "use"} ` +
      `${plural("probe or lifecycle host", hosts.length)} ${quoted(hosts)}`,
  };
}

function privileged(pod: CheckedPod): Violation | undefined {
  const bad = containersOf(pod).filter((one) => one.securityContext?.privileged);
  return bad.length === 0
    ? undefined
    : {
        reason: "privileged",
        detail: `${named("container", names(bad))} must not set securityContext.privileged=true`,
      };
}

function procMount(pod: CheckedPod, minor: number): Violation | undefined {
  // In a user namespace of its own, the whole of /proc shows nothing of the machine.
  if (minor >= 35 && pod.spec?.hostUsers === false) return undefined;
  const bad = containersOf(pod).filter(
    ({ securityContext }) => (securityContext?.procMount ?? "Default") !== "Default",
  );
  if (bad.length === 0) return undefined;
  const values = sorted(bad.map((one) => one.securityContext!.procMount!));
  return {
    reason: "procMount",
    detail: `${named("container", names(bad))} must not set securityContext.procMount to ${quoted(values)}`,
  };
}

const SELINUX_TYPES = ["", "container_t", "container_init_t", "container_kvm_t"];

function seLinuxOptions(pod: CheckedPod, minor: number): Violation | undefined {
  const types = minor >= 31 ? [...SELINUX_TYPES, "container_engine_t"] : SELINUX_TYPES;
  const podOptions = pod.spec?.securityContext?.seLinuxOptions ?? {};
  const isBad = ({ type = "", user, role }: typeof podOptions): boolean =>
    !types.includes(type) || Boolean(user) || Boolean(role);
  const optionsOf = (one: V1Container) => one.securityContext?.seLinuxOptions ?? {};
  const bad = containersOf(pod).filter((one) => isBad(optionsOf(one)));
  const who = setters(isBad(podOptions), names(bad));
  if (who === "") return undefined;
  const all = [podOptions, ...bad.map(optionsOf)];
  const badTypes = sorted(all.map(({ type = "" }) => type).filter((type) => !types.includes(type)));
  const what = [
    ...(badTypes.length > 0 ? [named("type", badTypes)] : []),
    ...(all.some(({ user }) => user) ? ["user may not be set"] : []),
    ...(all.some(({ role }) => role) ? ["role may not be set"] : []),
  ];
  return {
    reason: "seLinuxOptions",
    detail: `${who} set forbidden securityContext.seLinuxOptions: ${what.join("; ")}`,
  };
}

function seccompProfile(pod: CheckedPod): Violation | undefined {
  return badSeccomp(pod, (type) => type === "Unconfined");
}

/** Pod and containers that set a profile type which `isBad`. */
export function badSeccomp(
  pod: CheckedPod,
  isBad: (type: string) => boolean,
): Violation | undefined {
  const podType = pod.spec?.securityContext?.seccompProfile?.type;
  const typeOf = (one: V1Container) => one.securityContext?.seccompProfile?.type;
  const test = (type: string | undefined): boolean => type !== undefined && isBad(type);
  const bad = containersOf(pod).filter((one) => test(typeOf(one)));
  const who = setters(test(podType), names(bad));
  if (who === "") return undefined;
  const values = sorted([...(test(podType) ? [podType!] : []), ...bad.map((one) => typeOf(one)!)]);
  return {
    reason: "seccompProfile",
    detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(values)}`,
  };
}

/** Sysctls of the Pod's own namespaces, with the version that allowed each. */
const SAFE_SYSCTLS: Readonly<Record<string, number>> = {
  "kernel.shm_rmid_forced": 0,
  "net.ipv4.ip_local_port_range": 0,
  "net.ipv4.tcp_syncookies": 0,
  "net.ipv4.ping_group_range": 0,
  "net.ipv4.ip_unprivileged_port_start": 0,
  "net.ipv4.ip_local_reserved_ports": 27,
  "net.ipv4.tcp_keepalive_time": 29,
  "net.ipv4.tcp_fin_timeout": 29,
  "net.ipv4.tcp_keepalive_intvl": 29,
  "net.ipv4.tcp_keepalive_probes": 29,
  "net.ipv4.tcp_rmem": 32,
  "net.ipv4.tcp_wmem": 32,
};

function sysctls({ spec }: CheckedPod, minor: number): Violation | undefined {
  const isSafe = (name: string): boolean =>
    Object.hasOwn(SAFE_SYSCTLS, name) && SAFE_SYSCTLS[name]! <= minor;
  const bad = (spec?.securityContext?.sysctls ?? [])
    .map(({ name }) => name)
    .filter((name) => !isSafe(name));
  return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
}

function hostProcess(pod: CheckedPod): Violation | undefined {
  const bad = containersOf(pod).filter((one) => one.securityContext?.windowsOptions?.hostProcess);
  const isPod = pod.spec?.securityContext?.windowsOptions?.hostProcess === true;
  const who = setters(isPod, names(bad));
  if (who === "") return undefined;
  return {
    reason: "hostProcess",
    detail: `${who} must not set securityContext.windowsOptions.hostProcess=true`,
  };
}
