import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { exampleApi } from "./example-api.test.ts";
import { discoveryDocument } from "./discovery.ts";
import { compareVersions } from "./source.ts";
import { versionDocument } from "./version.ts";

const AGGREGATED = [
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
  "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
  "application/json",
].join(",");

const get = (path: string, accept = "application/json") =>
  discoveryDocument(exampleApi, path, accept, "10.0.0.1:6443");
const json = (path: string, accept?: string): unknown => {
  const found = get(path, accept);
  assert.ok(found, path);
  return JSON.parse(found.body.toString());
};
const ALL = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

describe("discovery", () => {
  it("/api and /apis list versions and groups by priority", () => {
    assert.deepEqual(json("/api"), {
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "10.0.0.1:6443" }],
    });
    const apps = { groupVersion: "apps/v1", version: "v1" };
    const groups = (json("/apis/") as { groups: { name: string }[] }).groups;
    assert.deepEqual(groups[0], { name: "apps", versions: [apps], preferredVersion: apps });
    assert.deepEqual(
      groups.map((group) => group.name),
      ["apps", "authentication.k8s.io"],
    );
    assert.deepEqual(json("/apis/apps"), { kind: "APIGroup", apiVersion: "v1", ...groups[0] });
  });

  it("a version lists its resources and subresources", () => {
    assert.deepEqual(json("/api/v1"), {
      kind: "APIResourceList",
      groupVersion: "v1",
      resources: [
        {
          name: "pods",
          singularName: "pod",
          namespaced: true,
          kind: "Pod",
          verbs: ALL,
          shortNames: ["po"],
          categories: ["all"],
          storageVersionHash: "xPOwRZ+Yhw8=",
        },
        {
          name: "pods/eviction",
          singularName: "",
          namespaced: true,
          group: "policy",
          version: "v1",
          kind: "Eviction",
          verbs: ["create"],
        },
        { name: "pods/log", singularName: "", namespaced: true, kind: "Pod", verbs: ["get"] },
        {
          name: "pods/status",
          singularName: "",
          namespaced: true,
          kind: "Pod",
          verbs: ["get", "patch", "update"],
        },
      ],
    });
    const [deployments, scale] = (json("/apis/apps/v1") as { resources: object[] }).resources;
    assert.equal(
      (deployments as { storageVersionHash: string }).storageVersionHash,
      "8aSe+NMegvE=",
    );
    assert.deepEqual(scale, {
      name: "deployments/scale",
      singularName: "",
      namespaced: true,
      group: "autoscaling",
      version: "v1",
      kind: "Scale",
      verbs: ["get", "patch", "update"],
    });
  });

  it("resources without storage have no subresources and no hash", () => {
    const list = json("/apis/authentication.k8s.io/v1") as { resources: object[] };
    assert.deepEqual(list.resources, [
      {
        name: "tokenreviews",
        singularName: "tokenreview",
        namespaced: false,
        kind: "TokenReview",
        verbs: ["create"],
      },
    ]);
  });

  it("everything in one document for clients that ask for it first", () => {
    const found = get("/apis", AGGREGATED)!;
    assert.equal(
      found.contentType,
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    );
    assert.match(found.etag, /^"[0-9A-F]{128}"$/);
    assert.equal(get("/apis", AGGREGATED)!.etag, found.etag);
    const body = JSON.parse(found.body.toString()) as { apiVersion: string; items: object[] };
    assert.equal(body.apiVersion, "apidiscovery.k8s.io/v2");
    assert.deepEqual(body.items[0], {
      metadata: { name: "apps" },
      versions: [
        {
          version: "v1",
          resources: [
            {
              resource: "deployments",
              responseKind: { group: "apps", version: "v1", kind: "Deployment" },
              scope: "Namespaced",
              singularResource: "deployment",
              verbs: ALL,
              shortNames: ["deploy"],
              subresources: [
                {
                  subresource: "scale",
                  responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
                  verbs: ["get", "patch", "update"],
                },
              ],
            },
          ],
          freshness: "Current",
        },
      ],
    });
    const core = json("/api", AGGREGATED) as { items: { metadata: object }[] };
    assert.deepEqual(
      core.items.map((item) => item.metadata),
      [{}],
    );
  });

  it("older and simpler clients get the form they name", () => {
    const kind = (accept: string) => (json("/apis", accept) as { apiVersion: string }).apiVersion;
    const beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
    assert.equal(kind(beta), "apidiscovery.k8s.io/v2beta1");
    assert.equal(kind("application/json"), "v1");
    assert.equal(kind("*/*"), "v1");
    assert.equal(kind(`application/json, ${beta}`), "v1");
    assert.equal(
      kind("application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList"),
      "v1",
    );
  });

  it("what is not served is not found", () => {
    for (const path of ["/api/v2", "/apis/nothing", "/apis/apps/v2", "/apis/apps/v1/x", "/other"])
      assert.equal(get(path), undefined, path);
  });

  it("versions are ordered by stability, then by number", () => {
    const sorted = ["v1beta1", "foo", "v1", "v2alpha1", "v10", "v1beta2", "v2"].sort(
      compareVersions,
    );
    assert.deepEqual(sorted, ["v10", "v2", "v1", "v1beta2", "v1beta1", "v2alpha1", "foo"]);
  });

  it("/version names the API and the program", () => {
    const version = versionDocument({
      skiffVersion: "0.1.0",
      gitCommit: "abc",
      buildDate: "2026-01-01T00:00:00Z",
      nodeVersion: "v20.20.2",
      platform: "linux/amd64",
    });
    assert.equal(version["gitVersion"], "v1.36.0+skiff.0.1.0");
    assert.equal(`${version["major"]}.${version["minor"]}`, "1.36");
  });
});
