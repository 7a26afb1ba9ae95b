import { Service } from "../../../src/api/core/service.ts";
import type { V1Service } from "../../../src/gen/types.ts";
import { APPS, placeOf, type Scene, type Step } from "./step.ts";

const RESOURCE = "services";
/** The server's own. */
const SYSTEM = new Set(["kubernetes", "kube-dns"]);

/** What users do with Services. */
export const serviceSteps: readonly Step[] = [
  { name: "create a Service", weight: 8, run: create },
  { name: "let a Service select other Pods", weight: 3, run: reselect },
  { name: "delete a Service", weight: 3, run: remove },
];

async function create(scene: Scene): Promise<unknown> {
  const app = scene.oneOf(...APPS);
  return scene.client.create(Service, {
    metadata: { name: app, namespace: scene.namespace(), annotations: scene.marked() },
    spec: {
      selector: { app },
      ports: [{ name: "http", port: 80, targetPort: scene.oneOf<number | string>(80, "http") }],
      ...(scene.isLucky(20) && { clusterIP: "None" }),
      ...(scene.isLucky(20) && { publishNotReadyAddresses: true }),
      ...(scene.isLucky(20) && { type: "NodePort" }),
    },
  });
}

function anyOwn(scene: Scene): V1Service | undefined {
  return scene.anyOf<V1Service>(RESOURCE, ({ metadata }) => !SYSTEM.has(metadata!.name!));
}

async function reselect(scene: Scene): Promise<unknown> {
  const service = anyOwn(scene);
  if (!service) return;
  const selector = { app: scene.oneOf(...APPS) };
  const body = { metadata: { annotations: scene.marked() }, spec: { selector } };
  return scene.client.patch(Service, placeOf(service), { type: "merge", body });
}

async function remove(scene: Scene): Promise<unknown> {
  const service = anyOwn(scene);
  return service && scene.client.delete(Service, placeOf(service));
}
