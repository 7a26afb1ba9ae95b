import type { V1Container, V1Volume } from "../../../gen/types.ts";
import { badSeccomp } from "./baseline-checks.ts";
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

/** @spec k8s@1.36 pod-security-admission/policy check_*.go, level restricted; by ID */
export const restrictedChecks: readonly Check[] = [
  { id: "allowPrivilegeEscalation", since: 8, run: allowPrivilegeEscalation },
  {
    id: "capabilities_restricted",
    since: 22,
    replaces: "capabilities_baseline",
    run: capabilities,
  },
  { id: "restrictedVolumes", since: 0, replaces: "hostPathVolumes", run: volumes },
  { id: "runAsNonRoot", since: 0, run: runAsNonRoot },
  { id: "runAsUser", since: 23, run: runAsUser },
  {
    id: "seccompProfile_restricted",
    since: 19,
    replaces: "seccompProfile_baseline",
    run: seccompProfile,
  },
];

/** From 1.25 on, Pods for Windows are spared what Windows does not have. */
const isWindows = ({ spec }: CheckedPod, minor: number): boolean =>
  minor >= 25 && spec?.os?.name === "windows";

/** From 1.35 on, root in a user namespace of its own counts as nobody. */
const hasOwnUsers = ({ spec }: CheckedPod, minor: number): boolean =>
  minor >= 35 && spec?.hostUsers === false;

const names = (containers: readonly V1Container[]): readonly string[] =>
  containers.map(({ name }) => name);

function allowPrivilegeEscalation(pod: CheckedPod, minor: number): Violation | undefined {
  if (isWindows(pod, minor)) return undefined;
  const bad = containersOf(pod).filter(
    ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
  );
  if (bad.length === 0) return undefined;
  return {
    reason: "allowPrivilegeEscalation != false",
    detail: `${named("container", names(bad))} must set securityContext.allowPrivilegeEscalation=false`,
  };
}

function capabilities(pod: CheckedPod, minor: number): Violation | undefined {
  if (isWindows(pod, minor)) return undefined;
  const of = (one: V1Container) => one.securityContext?.capabilities;
  const added = (one: V1Container): readonly string[] =>
    (of(one)?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
  const keeping = containersOf(pod).filter((one) => !of(one)?.drop?.includes("ALL"));
  const adding = containersOf(pod).filter((one) => added(one).length > 0);
  const details = [
    ...(keeping.length > 0
      ? [`${named("container", names(keeping))} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [
          `${named("container", names(adding))} must not include ` +
            `${quoted(sorted(adding.flatMap(added)))} in securityContext.capabilities.add`,
        ]
      : []),
  ];
  if (details.length === 0) return undefined;
  return { reason: "unrestricted capabilities", detail: details.join("; ") };
}

const VOLUME_TYPES = new Set(
  "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret".split(
    " ",
  ),
);

function volumes({ spec }: CheckedPod): Violation | undefined {
  const typeOf = (volume: V1Volume): string =>
    Object.entries(volume).find(([key, value]) => key !== "name" && value !== undefined)?.[0] ??
    "emptyDir";
  const bad = (spec?.volumes ?? []).filter((volume) => !VOLUME_TYPES.has(typeOf(volume)));
  if (bad.length === 0) return undefined;
  const types = sorted(bad.map(typeOf));
  return {
    reason: "restricted volume types",
    detail:
      `${named(
        "volume",
        bad.map(({ name }) => name),
      )} ${bad.length === 1 ? "uses" : "use"} ` +
      `${plural("restricted volume type", types.length)} ${quoted(types)}`,
  };
}

function runAsNonRoot(pod: CheckedPod, minor: number): Violation | undefined {
  if (hasOwnUsers(pod, minor)) return undefined;
  const ofPod = pod.spec?.securityContext?.runAsNonRoot;
  const of = (one: V1Container) => one.securityContext?.runAsNonRoot;
  const reason = "runAsNonRoot != true";
  const explicit = containersOf(pod).filter((one) => of(one) === false);
  const who = setters(ofPod === false, names(explicit));
  if (who !== "")
    return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  const silent = containersOf(pod).filter((one) => of(one) === undefined && ofPod !== true);
  if (silent.length === 0) return undefined;
  return {
    reason,
    detail: `pod or ${named("container", names(silent))} must set securityContext.runAsNonRoot=true`,
  };
}

function runAsUser(pod: CheckedPod, minor: number): Violation | undefined {
  if (hasOwnUsers(pod, minor)) return undefined;
  const bad = containersOf(pod).filter((one) => one.securityContext?.runAsUser === 0);
  const who = setters(pod.spec?.securityContext?.runAsUser === 0, names(bad));
  return who === ""
    ? undefined
    : { reason: "runAsUser=0", detail: `${who} must not set runAsUser=0` };
}

function seccompProfile(pod: CheckedPod, minor: number): Violation | undefined {
  if (isWindows(pod, minor)) return undefined;
  const isGood = (type: string | undefined): boolean =>
    type === "RuntimeDefault" || type === "Localhost";
  const bad = badSeccomp(pod, (type) => !isGood(type));
  if (bad) return bad;
  if (isGood(pod.spec?.securityContext?.seccompProfile?.type)) return undefined;
  const silent = containersOf(pod).filter((one) => !one.securityContext?.seccompProfile);
  if (silent.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail:
      `pod or ${named("container", names(silent))} must set securityContext.seccompProfile.type ` +
      `to "RuntimeDefault" or "Localhost"`,
  };
}
