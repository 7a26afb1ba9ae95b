import type { ComposeV1alpha3Stack } from "../../gen/types.ts";
import type { KubeObject } from "../machinery/object.ts";
import type { OlderVersion } from "../machinery/older-version.ts";
import { withField } from "../strategy/strategy.ts";

const GROUP = "compose.docker.com";

/**
 * `v1beta2` is `v1alpha3` without its last fields. Of `v1beta1`, which has the text of a compose file for a spec, a stack's name
 * and status are served: the CLI follows a deployment there, whichever version it wrote.
 */
export const olderStacks: readonly OlderVersion<ComposeV1alpha3Stack>[] = [
  { group: GROUP, version: "v1beta2" },
  { group: GROUP, version: "v1beta1", toHub: withoutSpec, fromHub: withoutSpec },
];

function withoutSpec(stack: KubeObject): ComposeV1alpha3Stack {
  return withField(stack as ComposeV1alpha3Stack, "spec", undefined);
}
