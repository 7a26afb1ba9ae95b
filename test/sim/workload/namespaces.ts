import { Namespace } from "../../../src/api/core/namespace.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { Client } from "../../../src/client/client.ts";
import { insist } from "./insist.ts";
import { NAMESPACES, type Step } from "./step.ts";

/** Makes all in which users work: most of what they do would fail otherwise. */
export async function makeNamespaces(client: Client, clock: Clock): Promise<void> {
  for (const name of NAMESPACES)
    await insist(clock, () => client.create(Namespace, { metadata: { name } }), "AlreadyExists");
}

/** What users do with the namespaces that are theirs alone. */
export const namespaceSteps: readonly Step[] = [
  {
    name: "create a Namespace",
    weight: 8,
    run: (scene) => {
      const metadata = { name: scene.oneOf("blue", "green"), annotations: scene.marked() };
      return scene.client.create(Namespace, { metadata });
    },
  },
  {
    name: "delete a Namespace",
    weight: 3,
    run: (scene) => scene.client.delete(Namespace, { name: scene.oneOf("blue", "green") }),
  },
];
