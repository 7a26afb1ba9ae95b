import { Namespace } from "../../../src/api/core/namespace.ts";
import type { Step } from "./step.ts";

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
