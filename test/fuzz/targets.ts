import type { FuzzTarget, StartedTarget } from "./target.ts";
import { apply } from "./targets/apply.ts";
import { imageArchive } from "./targets/image-archive.ts";
import { jsonBody } from "./targets/json-body.ts";
import { jsonPatch } from "./targets/json-patch.ts";
import { kubeletPath } from "./targets/kubelet-path.ts";
import { mergePatch } from "./targets/merge-patch.ts";
import { protobufBody } from "./targets/protobuf-body.ts";
import { query } from "./targets/query.ts";
import { request } from "./targets/request.ts";
import { scalar } from "./targets/scalar.ts";
import { selector } from "./targets/selector.ts";
import { strategicPatch } from "./targets/strategic-patch.ts";
import { typedValue } from "./targets/typed-value.ts";
import { yamlBody } from "./targets/yaml-body.ts";

/** A target as it is begun: most need nothing. */
export type Starter = () => Promise<FuzzTarget & Partial<Pick<StartedTarget, "close">>>;

/** All targets by name. */
export const TARGETS: ReadonlyMap<string, Starter> = new Map<string, Starter>([
  ...[
    ...[jsonBody, yamlBody, protobufBody, typedValue, jsonPatch, mergePatch, strategicPatch, apply],
    ...[selector, query, scalar, kubeletPath, imageArchive],
  ].map((target): [string, Starter] => [target.name, () => Promise.resolve(target)]),
  ["request", request],
]);
