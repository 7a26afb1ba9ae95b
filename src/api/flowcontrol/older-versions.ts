import type { V1FlowSchema, V1PriorityLevelConfiguration } from "../../gen/types.ts";
import type { KubeObject } from "../machinery/object.ts";
import { sameForm, type NamedKind, type OlderVersion } from "../machinery/older-version.ts";
import { mapField, withField } from "../strategy/strategy.ts";
import { DEFAULT_SHARES } from "./priority-level-defaults.ts";

const GROUP = "flowcontrol.apiserver.k8s.io";

/** In `v1beta3` a share of 0 means "not given"; this says that it means 0. @spec PriorityLevelPreserveZeroConcurrencySharesKey */
export const KEEPS_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

const versions = (kind: string) => {
  const named = (version: string): NamedKind => ({ group: GROUP, version, kind });
  return {
    third: sameForm(named("v1"), "v1beta3", "1.29", "1.32"),
    second: sameForm(named("v1beta3"), "v1beta2", "1.26", "1.29"),
    first: sameForm(named("v1beta3"), "v1beta1", "1.23", "1.26"),
  };
};

export const olderFlowSchemas: readonly OlderVersion<V1FlowSchema>[] = Object.values(
  versions("FlowSchema"),
);

type Spec = NonNullable<V1PriorityLevelConfiguration["spec"]>;
type Limited = NonNullable<Spec["limited"]>;
/** Until `v1beta3` the shares had another name, and 0 of them were not possible. */
type FirstLimited = Omit<Limited, "nominalConcurrencyShares"> & {
  readonly assuredConcurrencyShares?: number;
};

const levels = versions("PriorityLevelConfiguration");

/** @spec k8s@1.31 pkg/apis/flowcontrol/v1beta1, v1beta2, v1beta3: conversion.go */
export const olderPriorityLevels: readonly OlderVersion<V1PriorityLevelConfiguration>[] = [
  { ...levels.third, toHub: hubOfThird, fromHub: thirdOfHub },
  { ...levels.second, toHub: hubOfFirst, fromHub: firstOfHub },
  { ...levels.first, toHub: hubOfFirst, fromHub: firstOfHub },
];

function withLimited(object: KubeObject, convert: (limited: Limited) => object): KubeObject {
  return mapField(object as V1PriorityLevelConfiguration, "spec", (spec) =>
    mapField(spec, "limited", (limited) => convert(limited) as Limited),
  );
}

function hubOfThird(object: KubeObject): V1PriorityLevelConfiguration {
  const { [KEEPS_ZERO]: mark, ...annotations } = object.metadata?.annotations ?? {};
  const given = withLimited(object, (limited) => {
    const shares = limited.nominalConcurrencyShares || (mark === undefined ? DEFAULT_SHARES : 0);
    return withField(limited, "nominalConcurrencyShares", shares);
  });
  if (mark === undefined) return given;
  const left = Object.keys(annotations).length > 0 ? annotations : undefined;
  return { ...given, metadata: withField(given.metadata!, "annotations", left) };
}

function thirdOfHub(level: V1PriorityLevelConfiguration): KubeObject {
  if (level.spec?.limited?.nominalConcurrencyShares !== 0) return level;
  const annotations = { ...level.metadata?.annotations, [KEEPS_ZERO]: "" };
  return { ...level, metadata: { ...level.metadata, annotations } };
}

function hubOfFirst(object: KubeObject): V1PriorityLevelConfiguration {
  return withLimited(object, (limited) => {
    const { assuredConcurrencyShares, ...rest } = limited as FirstLimited;
    return { nominalConcurrencyShares: assuredConcurrencyShares || DEFAULT_SHARES, ...rest };
  });
}

function firstOfHub(level: V1PriorityLevelConfiguration): KubeObject {
  return withLimited(level, ({ nominalConcurrencyShares, ...rest }) => ({
    ...(nominalConcurrencyShares !== undefined && {
      assuredConcurrencyShares: nominalConcurrencyShares,
    }),
    ...rest,
  }));
}
