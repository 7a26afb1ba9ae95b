import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodePath, parseRequestInfo } from "./request-info.ts";

/** method path?query → verb group/version namespace plural/subresource name tail */
const ROWS: readonly [string, string][] = [
  ["GET /api/v1/pods", "list /v1 - pods - -"],
  ["GET /api/v1/pods?watch=true", "watch /v1 - pods - -"],
  ["GET /api/v1/pods?watch=0", "list /v1 - pods - -"],
  ["GET /api/v1/namespaces/a/pods", "list /v1 a pods - -"],
  ["GET /api/v1/namespaces/a/pods/x", "get /v1 a pods x -"],
  ["HEAD /api/v1/namespaces/a/pods/x", "get /v1 a pods x -"],
  ["GET /api/v1/namespaces/a/pods/x/log", "get /v1 a pods/log x -"],
  ["GET /api/v1/namespaces/a/pods/x/proxy/some/path", "get /v1 a pods/proxy x /some/path"],
  ["POST /api/v1/namespaces/a/pods", "create /v1 a pods - -"],
  ["PUT /api/v1/namespaces/a/pods/x/status", "update /v1 a pods/status x -"],
  ["DELETE /api/v1/namespaces/a/pods", "deletecollection /v1 a pods - -"],
  ["GET /api/v1/namespaces", "list /v1 - namespaces - -"],
  ["GET /api/v1/namespaces/a", "get /v1 a namespaces a -"],
  ["PUT /api/v1/namespaces/a/finalize", "update /v1 a namespaces/finalize a -"],
  ["GET /api/v1/watch/namespaces/a/pods", "watch /v1 a pods - -"],
  ["GET /api/v1/watch/pods", "watch /v1 - pods - -"],
  ["GET /api/v1/proxy/namespaces/a/pods/x/y/z", "get /v1 a pods/proxy x /y/z"],
  ["POST /api/v1/proxy/namespaces/a/services/x:80/", "create /v1 a services/proxy x:80 -"],
  ["GET /api/v1/proxy/nodes/x/logs", "get /v1 - nodes/proxy x /logs"],
  ["GET /api/v1/proxy/namespaces/a/secrets/x", "get other"],
  ["GET /api/v1/proxy/namespaces/a/pods", "get other"],
  ["GET /apis/apps/v1/proxy/namespaces/a/deployments/x/y", "proxy apps/v1 a deployments x /y"],
  ["PATCH /apis/apps/v1/namespaces/a/deployments/x", "patch apps/v1 a deployments x -"],
  [
    "GET /apis/apps/v1/deployments?fieldSelector=metadata.name%3Dx",
    "list apps/v1 - deployments x -",
  ],
  ["GET /api/v1/namespaces/a/secrets?fieldSelector=metadata.name%3D%3Dx", "list /v1 a secrets x -"],
  ["GET /api/v1/namespaces/a/secrets?fieldSelector=metadata.name!%3Dx", "list /v1 a secrets - -"],
  [
    "GET /api/v1/namespaces/a/secrets?fieldSelector=type!%3Dy%5C,metadata.name%3Dx",
    "list /v1 a secrets - -",
  ],
  [
    "GET /api/v1/namespaces/a/secrets?watch=1&fieldSelector=type!%3Dy%5C%2Cmetadata.name%3Dx",
    "watch /v1 a secrets - -",
  ],
  ["GET /apis/apps/v1", "get other"],
  ["GET /apis/apps", "get other"],
  ["GET /api/v1", "get other"],
  ["GET /api/v1/watch", "get other"],
  ["GET /healthz", "get other"],
  ["POST /", "post other"],
];

describe("parseRequestInfo", () => {
  for (const [request, expected] of ROWS)
    it(request, () => {
      const [method, target] = request.split(" ") as [string, string];
      const [path, query] = target.split("?") as [string, string | undefined];
      const info = parseRequestInfo(method, path, new URLSearchParams(query));
      const dash = (text: string): string => text || "-";
      const plural = info.subresource ? `${info.plural}/${info.subresource}` : info.plural;
      assert.equal(
        info.isResource
          ? `${info.verb} ${info.group}/${info.version} ${dash(info.namespace)} ${plural} ${dash(info.name)} ${dash(info.tail)}`
          : `${info.verb} other`,
        expected,
      );
    });

  it("unescapes a path, and refuses a malformed one", () => {
    assert.equal(decodePath("/api/v1/a%3Ab"), "/api/v1/a:b");
    assert.equal(decodePath("/api/%zz"), undefined);
  });
});
