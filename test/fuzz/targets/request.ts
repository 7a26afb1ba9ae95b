import assert from "node:assert/strict";
import { catalog } from "../../../src/api/catalog.ts";
import type { Kind } from "../../../src/api/machinery/kind.ts";
import type { ApiRequest } from "../../../src/apiserver/request.ts";
import { ServiceAccount } from "../../../src/api/core/service-account.ts";
import { isByteSource } from "../../../src/wire/http/byte-source.ts";
import type { VirtualClock } from "../../../src/base/virtual-clock.ts";
import { requestOf } from "../../support/api-server.ts";
import { startFuzzedPlane } from "../control-plane.ts";
import { wellFormed, type Draw } from "../draw.ts";
import { nearlyValid, validObject } from "../valid-objects.ts";
import { anyRecord, typedRecord } from "../json-values.ts";
import { headOf, KINDS, schemas, typeOf } from "../kinds.ts";
import { inputOf, parts, type StartedTarget } from "../target.ts";

interface Input {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly user: string;
}

/**
 * Whole requests: every one is answered, nothing is nobody's mistake, a refusal is a Status and has written nothing, and what is
 * answered is what was authorized.
 */
export async function request(): Promise<StartedTarget> {
  const { plane, store, clock, errors, close } = await startFuzzedPlane();
  const { pipeline } = plane.server;
  const client = plane.client({ name: "setup", groups: [ADMIN] });
  const account = { metadata: { name: "default", namespace: "default" } };
  await client.create(ServiceAccount, account);
  for (const { kind } of catalog) {
    const object = validObject(`${kind.group}/${kind.version}/${kind.kind}`);
    // Questions and bindings have nothing to stand on yet.
    if (object) await passing(clock, client.create(kind, object)).catch(() => {});
  }
  return {
    name: "request",
    runs: 1500,
    make: (draw) => inputOf(inputFor(draw)),
    async check(input) {
      const made = parts<Input>(input);
      const [before, begun] = [store.revision(), clock.now()];
      const { status, headers, body } = await passing(clock, pipeline.handle(asRequest(made)));
      const text = isByteSource(body) ? body.read()?.toString() : body.toString();
      if (isByteSource(body)) body.close();
      assert.deepEqual(errors.splice(0), []);
      const isMeant = status !== 500 || MEANT.test(text ?? "");
      assert.ok(status >= 200 && status < 600 && isMeant, `${status} ${text}`);
      for (const value of Object.values(headers).flat())
        assert.doesNotMatch(value, /[\r\n\0]|[^\0-\xff]/, "a header that cannot be sent");
      if (status < 400) return checkScope(made, text ?? "");
      // While a request waits, time passes, and the server writes what it does by itself.
      if (clock.now() === begun) assert.equal(store.revision(), before, "a refusal that wrote");
      checkStatus(status, String(headers["content-type"]), text ?? "");
    },
    close,
  };
}

/** The cluster's state is at fault, not the request. */
const MEANT = /no preferred addresses found/;

/** The answer, while time passes: admission may wait for an account that never comes. */
async function passing<T>(clock: VirtualClock, answer: T | Promise<T>): Promise<T> {
  if (!(answer instanceof Promise)) return answer;
  let isOver = false;
  const over = (): void => void (isOver = true);
  answer.then(over, over);
  for (let turn = 0; !isOver && turn < 100; turn++) await clock.advance(turn < 10 ? 0 : 500);
  if (!isOver) throw new Error("no answer");
  return answer;
}

function checkStatus(status: number, type: string, text: string): void {
  if (!type.startsWith("application/json")) return;
  const refusal = JSON.parse(text) as { kind: string; code: number; message: string };
  assert.equal(refusal.kind, "Status");
  assert.equal(refusal.code, status);
  assert.ok(refusal.message.length > 0);
}

/** What a reader of one namespace is given is of that namespace. */
function checkScope({ user, target }: Input, text: string): void {
  if (user !== READER || !text.startsWith("{")) return;
  if (new URLSearchParams(target.split("?")[1]).has("pretty")) return;
  const answer = JSON.parse(text.split("\n")[0]!) as Listed;
  for (const { metadata } of answer.items ?? [answer])
    if (metadata?.namespace !== undefined)
      assert.equal(metadata.namespace, "default", `read through ${target}`);
}

interface Listed {
  readonly items?: readonly Listed[];
  readonly metadata?: { readonly namespace?: string };
}

/** May everything. */
const ADMIN = "system:masters";
/** May what the policy lets every account read, and nothing else. */
const READER = "reader";

function asRequest({ method, target, headers, body, user }: Input): ApiRequest {
  const made = requestOf(method, target, body, headers);
  if (user === "") return made;
  const organizations = user === ADMIN ? [ADMIN] : [];
  return { ...made, certificate: { commonName: user, organizations } };
}

function inputFor(draw: Draw): Input {
  const { kind } = draw.pick(catalog);
  const key = `${kind.group}/${kind.version}/${kind.kind}`;
  const method = draw.chance(97)
    ? draw.pick(["GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE"])
    : draw.pick(["HEAD", "OPTIONS", "TRACE", "get", "", "constructor"]);
  const isPatch = method === "PATCH";
  return {
    method,
    target: targetOf(draw, kind, method),
    headers: headersOf(draw, isPatch),
    body:
      method === "DELETE" && draw.chance(80)
        ? ""
        : bodyOf(draw, KINDS.includes(key) ? key : draw.pick(KINDS), isPatch),
    user: draw.pick([ADMIN, ADMIN, ADMIN, ADMIN, ADMIN, ADMIN, READER, ""]),
  };
}

function targetOf(
  draw: Draw,
  { group, version, plural, isNamespaced }: Kind,
  method: string,
): string {
  const part = (right: string): string => (draw.chance(98) ? right : encoded(draw));
  const root = group === "" ? ["api"] : ["apis", part(group)];
  const isInside = draw.chance(4) ? !isNamespaced : isNamespaced;
  const place = isInside ? ["namespaces", part(draw.pick(SPACES))] : [];
  const tailLength = draw.chance(5) ? draw.integer(4) : method === "POST" ? 0 : 1;
  const tail = draw.times(tailLength, () => part(draw.chance(92) ? "a" : "b"));
  if (draw.chance(15)) tail.push(draw.pick(SUBRESOURCES));
  const path = `/${[...root, part(version), ...place, part(plural), ...tail].join("/")}`;
  const odd = draw.chance(1) ? draw.pick(["//", "/../", "/./", "/%2e%2e/", "\\", "/watch/"]) : "";
  const manager = method === "PATCH" && draw.chance(60) ? "?fieldManager=fuzz" : "";
  return `${odd}${path}${draw.chance(15) ? `?${queryOf(draw)}` : manager}`;
}

function encoded(draw: Draw): string {
  const text = draw.text();
  return draw.chance(50) ? encodeURIComponent(wellFormed(text)) : text.replace("?", "");
}

const SPACES = [...Array<string>(20).fill("default"), "kube-system", "nowhere"];
const SUBRESOURCES = [
  ...["status", "scale", "log", "exec", "proxy", "eviction", "binding", "token", "finalize"],
  ...["ephemeralcontainers", "resize", "attach", "portforward", "constructor", "__proto__"],
];

function queryOf(draw: Draw): string {
  return draw
    .times(
      1 + draw.size(3),
      () => `${draw.pick(QUERY)}=${encodeURIComponent(wellFormed(draw.text()))}`,
    )
    .join("&");
}

const QUERY = [
  ...["watch", "limit", "continue", "labelSelector", "fieldSelector", "resourceVersion", "dryRun"],
  ...[
    "fieldManager",
    "fieldValidation",
    "force",
    "propagationPolicy",
    "gracePeriodSeconds",
    "pretty",
  ],
];

function headersOf(draw: Draw, isPatch: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  if (isPatch) headers["content-type"] = draw.pick(PATCH_TYPES);
  if (draw.chance(10)) headers["content-type"] = draw.pick(CONTENT_TYPES);
  if (draw.chance(10)) headers["accept"] = draw.pick(ACCEPTS);
  if (draw.chance(2)) headers[draw.pick(OTHER_HEADERS)] = draw.text();
  return headers;
}

const PATCH_TYPES = [
  ...[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/apply-patch+yaml",
  ],
  "application/strategic-merge-patch+json",
];
const CONTENT_TYPES = [
  ...["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain"],
  ...[...PATCH_TYPES, "constructor", "__proto__", "", ";", "a/b;c=d"],
];
const ACCEPTS = [
  "application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
  "application/vnd.kubernetes.protobuf",
  "application/yaml",
  "text/html,*/*;q=0.1",
  "application/json;as=constructor",
  ";;,,q=",
];
const OTHER_HEADERS = [
  ...["authorization", "impersonate-user", "impersonate-group", "impersonate-uid", "user-agent"],
  ...["impersonate-extra-a", "upgrade", "origin", "host", "if-match", "x-forwarded-for"],
];

function bodyOf(draw: Draw, key: string, isPatch: boolean): string {
  if (isPatch && draw.chance(30)) return JSON.stringify(operations(draw));
  switch (draw.integer(20)) {
    case 0:
      return "";
    case 1:
      return draw.text();
    case 2:
      return JSON.stringify(anyRecord(draw));
    case 3:
    case 4:
      return JSON.stringify({ ...typedRecord(draw, schemas, typeOf(key), 1), ...headOf(key) });
    default:
      return JSON.stringify(nearlyValid(draw, key) ?? typedRecord(draw, schemas, typeOf(key), 0));
  }
}

function operations(draw: Draw): object[] {
  return draw.times(1 + draw.size(4), () => ({
    op: draw.pick(["add", "add", "remove", "replace", "test", "copy", "move"]),
    path: draw.pick([
      "/metadata/labels",
      "/metadata/annotations",
      "/spec",
      "/data",
      "/",
      "",
      "/kind",
    ]),
    from: draw.pick(["/metadata", "/spec"]),
    value: anyRecord(draw, 1),
  }));
}
