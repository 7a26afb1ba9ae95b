import type { Resource, Strategy } from "../../api/machinery/resource.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { ServedApi } from "./source.ts";

/** Discovery and OpenAPI never call a strategy; these two resources only have to be declared. */
const strategy: Strategy<KubeObject> = {
  withDefaults: (object) => object,
  prepareForCreate: (object) => object,
  prepareForUpdate: (object) => object,
  validate: () => [],
  validateUpdate: () => [],
};

const pods: Resource = {
  kind: { group: "", version: "v1", kind: "Pod", plural: "pods", isNamespaced: true },
  singular: "pod",
  shortNames: ["po"],
  categories: ["all"],
  strategy,
  subresources: { status: { prepareForUpdate: (object) => object, validateUpdate: () => [] } },
  columns: [],
};

const deployments: Resource = {
  kind: {
    group: "apps",
    version: "v1",
    kind: "Deployment",
    plural: "deployments",
    isNamespaced: true,
  },
  singular: "deployment",
  shortNames: ["deploy"],
  strategy,
  subresources: {
    scale: {
      replicas: () => 1,
      statusReplicas: () => 1,
      selector: () => "",
      withReplicas: (object) => object,
    },
  },
  columns: [],
};

/** Two resources and three extras: the least that shows every form of an entry. */
export const exampleApi: ServedApi = {
  resources: [deployments, pods],
  subresources: [
    {
      group: "",
      version: "v1",
      plural: "pods",
      name: "log",
      isNamespaced: true,
      kind: { group: "", version: "v1", kind: "Pod" },
      verbs: ["get"],
    },
    {
      group: "",
      version: "v1",
      plural: "pods",
      name: "eviction",
      isNamespaced: true,
      kind: { group: "policy", version: "v1", kind: "Eviction" },
      verbs: ["create"],
    },
    {
      group: "authentication.k8s.io",
      version: "v1",
      plural: "tokenreviews",
      name: "",
      singular: "tokenreview",
      isNamespaced: false,
      kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenReview" },
      verbs: ["create"],
    },
  ],
};
