import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  mandatoryFlowSchemas,
  suggestedFlowSchemas,
} from "../../api/flowcontrol/default-objects.ts";
import { compareFlowSchemas } from "../../api/flowcontrol/flow-schema.ts";
import { parseRequestInfo } from "../request-info.ts";
import { requestsOf } from "./matching.ts";
import { dealHand } from "./shuffle-sharding.ts";

const schemas = [...mandatoryFlowSchemas, ...suggestedFlowSchemas].sort(compareFlowSchemas);
const known = (name: string, ...groups: string[]) => ({
  name,
  groups: [...groups, "system:authenticated"],
});
const admin = known("admin", "system:masters");
const node = known("system:node:n", "system:nodes");
const manager = known("system:kube-controller-manager");
const scheduler = known("system:kube-scheduler");
const account = (namespace: string, name: string) =>
  known(`system:serviceaccount:${namespace}:${name}`, "system:serviceaccounts");
const anonymous = { name: "system:anonymous", groups: ["system:unauthenticated"] };

function schemaOf(user: { name: string; groups: string[] }, request: string): string | undefined {
  const [method, target] = request.split(" ") as [string, string];
  const [path, query] = target.split("?") as [string, string | undefined];
  const info = parseRequestInfo(method, path, new URLSearchParams(query));
  return schemas.find((schema) => requestsOf(schema, user)?.(info))?.metadata?.name;
}

const LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";

describe("matching of requests with the default flow schemas", () => {
  const rows = [
    [admin, "GET /api/v1/pods", "exempt"],
    [anonymous, "GET /healthz", "probes"],
    [known("u"), "GET /readyz/ping", "probes"],
    [known("u"), "GET /version", "global-default"],
    [scheduler, `PUT ${LEASE}/kube-scheduler`, "system-leader-election"],
    [scheduler, `GET ${LEASE}`, "kube-scheduler"],
    [manager, "PUT /api/v1/namespaces/d/endpoints/e", "endpoint-controller"],
    [manager, "GET /api/v1/pods", "kube-controller-manager"],
    [
      account("kube-system", "x"),
      "PUT /api/v1/namespaces/d/configmaps/c",
      "workload-leader-election",
    ],
    [account("kube-system", "x"), "GET /api/v1/pods", "kube-system-service-accounts"],
    [account("default", "x"), "GET /api/v1/pods", "service-accounts"],
    [node, "PATCH /api/v1/nodes/n/status", "system-node-high"],
    [node, "GET /api/v1/nodes", "system-node-high"],
    [
      node,
      "PUT /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n",
      "system-node-high",
    ],
    [node, "GET /api/v1/pods", "system-nodes"],
    [known("u"), "GET /api/v1/pods", "global-default"],
    [anonymous, "GET /api/v1/pods", "global-default"],
  ] as const;
  for (const [user, request, expected] of rows)
    it(`${user.name}: ${request} → ${expected}`, () => {
      assert.equal(schemaOf(user, request), expected);
    });
});

describe("dealHand", () => {
  it("deals different queues, the same for the same flow", () => {
    for (let flow = 0; flow < 200; flow++) {
      const hand = dealHand("s", `u${flow}`, 8, 8);
      assert.deepEqual([...hand].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
    assert.deepEqual(dealHand("s", "u", 128, 6), dealHand("s", "u", 128, 6));
  });

  it("uses all queues about equally", () => {
    const counts = new Array<number>(16).fill(0);
    for (let flow = 0; flow < 4000; flow++)
      for (const queue of dealHand("s", `u${flow}`, 16, 4)) counts[queue]!++;
    for (const count of counts) assert.ok(count > 850 && count < 1150, counts.join(" "));
  });
});
