// Requests for certificates from asking to cleaning up: server, admission and controllers in one process, on virtual time.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CertificateApproval,
  CertificateSigning,
  certificateSubjectRestriction,
} from "../../src/apiserver/admission/certificates.ts";
import { InProcessCache } from "../../src/apiserver/in-process-cache.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import { EventRecorder } from "../../src/client/event-recorder.ts";
import { certificateApprover } from "../../src/controllers/certificates/approver.ts";
import { certificateCleaner } from "../../src/controllers/certificates/cleaner.ts";
import { certificateSigner } from "../../src/controllers/certificates/signer.ts";
import { certificatePort } from "../../src/main/certificate-port.ts";
import { runController } from "../../src/reconciler/runner.ts";
import { createAuthority } from "../../src/wire/x509/certificate.ts";
import { parseCertificate } from "../../src/wire/x509/parse.ts";
import { startTestServer, type Answer, type TestServer } from "../support/api-server.ts";
import { signingRequest } from "../support/signing-request.ts";

const CLIENT = "kubernetes.io/kube-apiserver-client";
const KUBELET = "kubernetes.io/kube-apiserver-client-kubelet";
const paths = (version = "v1"): string =>
  `/apis/certificates.k8s.io/${version}/certificatesigningrequests`;

function requestOf(name: string, subject: string, spec: object = {}): object {
  const { request } = signingRequest(subject);
  return {
    metadata: { name },
    spec: {
      request: Buffer.from(request).toString("base64"),
      signerName: CLIENT,
      usages: ["client auth"],
      ...spec,
    },
  };
}

/** A body with a server whose testers may do all, and the three controllers. */
function inWorld(body: (server: TestServer) => Promise<void>): () => Promise<void> {
  return async () => {
    const everybody = { authorize: () => ({ isAllowed: true, reason: "" }) };
    const server = await startTestServer({
      admission: () => [
        new CertificateApproval(everybody),
        new CertificateSigning(everybody),
        certificateSubjectRestriction,
      ],
    });
    const { client, clock } = server;
    const random = new SeededRandom(2);
    const cache = new InProcessCache(server.server.parts);
    const events = new EventRecorder(client, clock, random, silentLogger);
    const facts = () => ({ now: clock.now(), random });
    const authority = createAuthority("ca", facts());
    const port = certificatePort(
      () => authority,
      facts,
      () => true,
    );
    const surroundings = { client, cache, clock, logger: silentLogger, events };
    const running = [
      runController(certificateApprover(port), surroundings),
      runController(certificateSigner(port), surroundings),
      runController(certificateCleaner(port), surroundings),
    ];
    await Promise.all(running.map(({ ready }) => ready));
    try {
      await body(server);
    } finally {
      await Promise.all(running.map((loop) => loop.close()));
      cache.close();
      events.close();
      await server.close();
    }
  };
}

const approve = async (server: TestServer, name: string, version = "v1"): Promise<Answer> => {
  const { json } = await server.request("GET", `${paths(version)}/${name}`);
  const condition = { type: "Approved", status: "True", reason: "Test" };
  const body = { ...json, status: { conditions: [condition] } };
  return server.request("PUT", `${paths(version)}/${name}/approval`, body);
};

const issuedTo = async (server: TestServer, name: string) => {
  const { json } = await server.request("GET", `${paths()}/${name}`);
  return parseCertificate(Buffer.from(json.status.certificate, "base64").toString());
};

describe("requests for certificates", () => {
  it(
    "are signed when somebody approves, for whom they ask, and go after an hour",
    inWorld(async (server) => {
      const asked = requestOf("jane", "/O=team/CN=jane", { expirationSeconds: 3600 });
      const made = await server.request("POST", paths(), asked);
      assert.equal(made.status, 201, made.text);
      assert.equal(made.json.spec.username, "tester");
      await server.clock.advance(1000);
      assert.equal(
        (await server.request("GET", `${paths()}/jane`)).json.status.certificate,
        undefined,
      );
      assert.equal((await approve(server, "jane")).status, 200);
      await server.clock.advance(1000);
      const { subject, notAfter } = await issuedTo(server, "jane");
      assert.deepEqual(subject, { commonName: "jane", organizations: ["team"] });
      assert.ok(Math.abs(notAfter - server.clock.now() - 3_600_000) < 5000);
      await server.clock.advance(3_601_000);
      assert.equal((await server.request("GET", `${paths()}/jane`)).status, 404);
    }),
  );

  it(
    "of nodes are approved by themselves",
    inWorld(async (server) => {
      const usages = ["digital signature", "client auth"];
      const asked = requestOf("n", "/O=system:nodes/CN=system:node:n", {
        signerName: KUBELET,
        usages,
      });
      assert.equal((await server.request("POST", paths(), asked)).status, 201);
      await server.clock.advance(1000);
      assert.equal((await issuedTo(server, "n")).subject.commonName, "system:node:n");
    }),
  );

  it(
    "of v1beta1 name a signer only if they want to",
    inWorld(async (server) => {
      const beta = paths("v1beta1");
      const { status, text } = await server.request(
        "POST",
        beta,
        requestOf("old", "/CN=svc", { signerName: undefined, usages: undefined }),
      );
      assert.equal(status, 201, text);
      const { spec } = (await server.request("GET", `${paths()}/old`)).json;
      assert.equal(spec.signerName, "kubernetes.io/legacy-unknown");
      assert.deepEqual(spec.usages, ["digital signature", "key encipherment"]);
      assert.equal((await approve(server, "old", "v1beta1")).status, 200);
      await server.clock.advance(1000);
      assert.equal((await issuedTo(server, "old")).subject.commonName, "svc");
    }),
  );
});
