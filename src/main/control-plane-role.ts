import { Node } from "../api/core/node.ts";
import type { Logger } from "../base/logger.ts";
import type { Cache } from "../client/cache.ts";
import type { Client } from "../client/client.ts";

/** What `kubectl get nodes` shows under ROLES. @spec KEP-2067 */
const ROLE = "node-role.kubernetes.io/control-plane";

/**
 * Labels the node that the control plane counts as its own, when it registers and when the server starts.
 *
 * Not by the kubelet: a node may not give itself a role (NodeRestriction), since roles steer where others' workloads go.
 * A failure is logged; the next start tries again. Nothing hangs on the label but what people see.
 */
export async function labelControlPlane(
  cache: Cache,
  client: Client,
  name: string,
  logger: Logger,
): Promise<void> {
  const label = (): void => {
    const body = { metadata: { labels: { [ROLE]: "" } } };
    client.patch(Node, { name }, { type: "merge", body }).catch((error: unknown) => {
      logger.warning("the control-plane node keeps no role", { node: name, error: String(error) });
    });
  };
  cache.onChange(Node, ({ key, old, object }) => {
    if (key.name === name && !old && object) label();
  });
  await cache.sync(Node);
  const node = cache.get(Node, { name, namespace: "" });
  if (node && node.metadata?.labels?.[ROLE] === undefined) label();
}
