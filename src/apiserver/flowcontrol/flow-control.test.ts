import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  requestOf,
  startTestServer,
  type Answer,
  type Body,
  type TestServer,
} from "../../../test/support/api-server.ts";
import { ImpatientClock } from "../../../test/support/impatient-clock.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { isByteSource } from "../../wire/http/byte-source.ts";

const GROUP = "/apis/flowcontrol.apiserver.k8s.io/v1";
const MAPS = "/api/v1/namespaces/default/configmaps";

interface FlowServer extends TestServer {
  /** Answers when `finish` is called for its name. */
  slow(name: string, user: string): Promise<Answer>;
  finish(name: string): Promise<void>;
  /** Names of the slow requests that run now, in the order in which they began. */
  running(): string;
  metric(name: string): Promise<string>;
}

/** A server where the header `x-user` says who asks, and requests below `/slow/` last until they are told to end. */
async function startFlowServer(clock?: ImpatientClock): Promise<FlowServer> {
  const open = new Map<string, () => void>();
  const server = await startTestServer({
    ...(clock && { clock }),
    keepsFlowObjects: true,
    authenticators: () => [
      {
        authenticate: ({ headers }) => {
          const name = headers["x-user"] ?? "admin";
          const groups = name === "admin" ? ["system:masters"] : [];
          return { name, groups: [...groups, "system:authenticated"] };
        },
      },
    ],
    paths: () => ({
      "/slow/*": ({ path }) =>
        new Promise((resolve) => {
          const answer = { status: 200, headers: {}, body: Buffer.from("done") };
          open.set(path.slice("/slow/".length), () => resolve(answer));
        }),
    }),
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    ...server,
    slow: (name, user) => server.request("GET", `/slow/${name}`, undefined, { "x-user": user }),
    finish: async (name) => {
      open.get(name)!();
      open.delete(name);
      for (let at = 0; at < 4; at++) await turn();
    },
    running: () => [...open.keys()].join(" "),
    metric: async (name) => {
      const { text } = await server.request("GET", "/metrics");
      const lines = text
        .split("\n")
        .filter((line) => line.startsWith(`apiserver_flowcontrol_${name}`));
      return lines.join("\n");
    },
  };
}

/** A level of `shares` seats of 600, about, and a schema that sends everything of some users there. */
async function addLevel(
  { request }: TestServer,
  name: string,
  shares: number,
  users: readonly string[],
  queuing: object | null = { queues: 1, handSize: 1, queueLengthLimit: 2 },
): Promise<void> {
  const limitResponse = queuing ? { type: "Queue", queuing } : { type: "Reject" };
  const limited = { nominalConcurrencyShares: shares, borrowingLimitPercent: 0, limitResponse };
  const level = { metadata: { name }, spec: { type: "Limited", limited } };
  const made = await request("POST", `${GROUP}/prioritylevelconfigurations`, level);
  assert.equal(made.status, 201, made.text);
  const every = ["*"];
  const rules = {
    subjects: users.map((user) => ({ kind: "User", user: { name: user } })),
    resourceRules: [
      { verbs: every, apiGroups: every, resources: every, namespaces: every, clusterScope: true },
    ],
    nonResourceRules: [{ verbs: every, nonResourceURLs: every }],
  };
  const schema = await request("POST", `${GROUP}/flowschemas`, {
    metadata: { name },
    spec: {
      priorityLevelConfiguration: { name },
      matchingPrecedence: 50,
      distinguisherMethod: { type: "ByUser" },
      rules: [rules],
    },
  });
  assert.equal(schema.status, 201, schema.text);
}

/** A test's body with a server of its own. */
const inFlowServer = (test: (server: FlowServer) => Promise<void>) => async () => {
  const server = await startFlowServer();
  await test(server).finally(() => server.close());
};

describe("flow control", () => {
  it(
    "a request beyond the seats waits, one beyond the queue is refused with 429",
    inFlowServer(async (server) => {
      await addLevel(server, "one", 1, ["u"]);
      // One share of 246 is three seats of 600.
      const ran = ["a", "b", "c"].map((name) => server.slow(name, "u"));
      const waiting = ["d", "e"].map((name) => server.slow(name, "u"));
      const refused = await server.slow("f", "u");
      assert.equal(refused.status, 429);
      assert.equal(refused.headers["retry-after"], "1");
      assert.equal(refused.json.reason, "TooManyRequests");
      assert.equal(refused.json.message, "Too many requests, please try again later.");
      assert.ok(refused.headers["x-kubernetes-pf-prioritylevel-uid"]);
      assert.equal(server.running(), "a b c");
      await server.finish("b");
      assert.equal(server.running(), "a c d");
      for (const name of ["a", "c", "d", "e"]) await server.finish(name);
      for (const answer of await Promise.all([...ran, ...waiting]))
        assert.equal(answer.status, 200);
      assert.match(await server.metric("rejected_requests_total"), /reason="queue-full"} 1$/);
      assert.match(
        await server.metric("dispatched_requests_total"),
        /priority_level="one",flow_schema="one"} 5/,
      );
      assert.match(await server.metric("current_inqueue_requests"), /"one"} 0$/m);
      assert.match(await server.metric("current_executing_requests"), /"one"} 0$/m);
    }),
  );

  it(
    "a level without queues refuses at once",
    inFlowServer(async (server) => {
      await addLevel(server, "none", 1, ["u"], null);
      const ran = ["a", "b", "c"].map((name) => server.slow(name, "u"));
      assert.equal((await server.slow("d", "u")).status, 429);
      for (const name of ["a", "b", "c"]) await server.finish(name);
      await Promise.all(ran);
      assert.match(
        await server.metric("rejected_requests_total"),
        /reason="concurrency-limit"} 1$/,
      );
    }),
  );

  it(
    "nobody waits longer than 15 seconds",
    inFlowServer(async (server) => {
      await addLevel(server, "one", 1, ["u"]);
      const ran = ["a", "b", "c"].map((name) => server.slow(name, "u"));
      const waiting = server.slow("d", "u");
      await server.clock.advance(17_000);
      assert.equal((await waiting).status, 429);
      for (const name of ["a", "b", "c"]) await server.finish(name);
      await Promise.all(ran);
      assert.match(await server.metric("rejected_requests_total"), /reason="time-out"} 1$/);
    }),
  );

  it(
    "a client that goes away while it waits leaves its place",
    inFlowServer(async (server) => {
      await addLevel(server, "one", 1, ["u"]);
      const ran = ["a", "b", "c"].map((name) => server.slow(name, "u"));
      const abort = new AbortController();
      const request = requestOf("GET", "/slow/gone", undefined, { "x-user": "u" });
      const gone = server.server.pipeline.handle({ ...request, signal: abort.signal });
      abort.abort();
      await gone;
      for (const name of ["a", "b", "c"]) await server.finish(name);
      assert.equal(server.running(), "");
      await Promise.all(ran);
    }),
  );

  it(
    "one noisy user does not keep another of the same level waiting",
    inFlowServer(async (server) => {
      const queuing = { queues: 64, handSize: 6, queueLengthLimit: 50 };
      await addLevel(server, "shared", 1, ["noisy", "quiet"], queuing);
      for (let i = 0; i < 200; i++) void server.slow(`n${i}`, "noisy");
      assert.equal(server.running(), "n0 n1 n2");
      const quiet = server.slow("q", "quiet");
      await server.finish("n0");
      await server.finish("n1");
      assert.match(server.running(), /q/, "served among the next two");
      await server.finish("q");
      assert.equal((await quiet).status, 200);
    }),
  );

  it(
    "another level, exempt requests and long-running ones do not wait for a full one",
    inFlowServer(async (server) => {
      await addLevel(server, "one", 1, ["u"]);
      for (const name of ["a", "b", "c", "d"]) void server.slow(name, "u");
      assert.equal((await server.request("GET", MAPS, undefined, { "x-user": "v" })).status, 200);
      assert.equal((await server.request("GET", MAPS)).status, 200);
      const log = "/api/v1/namespaces/default/pods/p/log";
      assert.equal((await server.request("GET", log, undefined, { "x-user": "u" })).status, 404);
      for (const name of ["a", "b", "c", "d"]) await server.finish(name);
    }),
  );

  it(
    "a level lends what it does not need, and borrows",
    inFlowServer(async (server) => {
      // 49 seats of its own, and those that other default levels lend.
      for (let i = 0; i < 150; i++) void server.slow(`g${i}`, "someone");
      assert.equal(server.running().split(" ").length, 150);
      void server.request("GET", MAPS, undefined, { "x-user": "v" });
    }),
  );

  it(
    "a long list takes more seats, for as long as it is read; a stalled reader gives them back",
    inFlowServer(async (server) => {
      await addLevel(server, "lists", 15, ["u"], null);
      const data = { k: "x".repeat(100_000) };
      for (let i = 0; i < 20; i++)
        await server.request("POST", MAPS, { metadata: { name: `m${i}` }, data });
      const begin = async () => {
        const request = requestOf("GET", MAPS, undefined, { "x-user": "u" });
        return server.server.pipeline.handle(request);
      };
      const inUse = () => server.metric(`current_executing_seats{priority_level="lists"`);
      const first = await begin();
      assert.ok(isByteSource(first.body));
      assert.match(await inUse(), / 6$/, "15 % of 34");
      const others = await Promise.all([1, 2, 3, 4, 5].map(begin));
      assert.deepEqual(
        others.map(({ status }) => status),
        [200, 200, 200, 200, 429],
      );
      while (first.body.read());
      assert.match(await inUse(), / 24$/);
      await server.clock.advance(1200);
      assert.match(await inUse(), / 0$/);
      const stalled = others[0]!.body;
      assert.ok(isByteSource(stalled) && stalled.read());
      assert.match(await inUse(), / 6$/, "it reads on");
      stalled.close();
      assert.match(await inUse(), / 0$/);
    }),
  );

  it("when a turn is used up the others wait for the next, those of other levels not", async () => {
    const server = await startFlowServer(new ImpatientClock(new VirtualClock()));
    await addLevel(server, "busy", 100, ["noisy"], {
      queues: 8,
      handSize: 2,
      queueLengthLimit: 50,
    });
    const order: string[] = [];
    const get = (user: string): Promise<unknown> =>
      server
        .request("GET", `${MAPS}/none`, undefined, { "x-user": user })
        .then(({ status }) => order.push(`${user} ${status}`));
    const all = Array.from({ length: 60 }, () => get("noisy"));
    all.push(get("quiet"), get("admin"));
    await Promise.all(all);
    assert.equal(order.length, 62);
    assert.ok(order.includes("noisy 404") && !order.some((line) => line.endsWith("429")));
    assert.ok(order.indexOf("admin 404") < 50, "exempt ones do not wait");
    assert.ok(order.indexOf("quiet 404") < 61, "nor do those that come later wait for all");
    await server.close();
  });
});

describe("flow control objects", () => {
  it(
    "the default objects are made, say that they are in order, and steer",
    inFlowServer(async (server) => {
      const before = await server.request("GET", MAPS, undefined, { "x-user": "u" });
      assert.equal(before.headers["x-kubernetes-pf-flowschema-uid"], undefined);
      await server.clock.advance(1500);
      const { json } = await server.request("GET", `${GROUP}/flowschemas`);
      assert.equal(json.items.length, 13);
      for (const { metadata, status } of json.items) {
        const [condition] = status.conditions;
        assert.equal(`${condition.type} ${condition.status}`, "Dangling False", metadata.name);
        assert.equal(metadata.annotations["apf.kubernetes.io/autoupdate-spec"], "true");
      }
      const levels = await server.request("GET", `${GROUP}/prioritylevelconfigurations`);
      assert.equal(levels.json.items.length, 8);
      const uidOf = (list: Body, name: string): string =>
        list.items.find(({ metadata }: Body) => metadata.name === name).metadata.uid;
      const after = await server.request("GET", MAPS, undefined, { "x-user": "u" });
      assert.equal(after.headers["x-kubernetes-pf-flowschema-uid"], uidOf(json, "global-default"));
      assert.equal(
        after.headers["x-kubernetes-pf-prioritylevel-uid"],
        uidOf(levels.json, "global-default"),
      );
    }),
  );

  it(
    "mandatory ones cannot be changed and come back; suggested ones follow until someone changes them",
    inFlowServer(async (server) => {
      await server.clock.advance(1500);
      const path = `${GROUP}/flowschemas`;
      const { json: fixed } = await server.request("GET", `${path}/catch-all`);
      const changed = { ...fixed, spec: { ...fixed.spec, matchingPrecedence: 9000 } };
      const refused = await server.request("PUT", `${path}/catch-all`, changed);
      assert.equal(refused.status, 422);
      assert.match(refused.json.message, /spec of 'catch-all' must equal the fixed value/);
      await server.request("DELETE", `${path}/catch-all`);
      await server.request("DELETE", `${path}/probes`);
      const { json: own } = await server.request("GET", `${path}/service-accounts`);
      own.spec.matchingPrecedence = 8999;
      own.metadata.annotations = { "apf.kubernetes.io/autoupdate-spec": "false" };
      assert.equal((await server.request("PUT", `${path}/service-accounts`, own)).status, 200);
      const { json: other } = await server.request("GET", `${path}/kube-scheduler`);
      other.spec.matchingPrecedence = 801;
      await server.request("PUT", `${path}/kube-scheduler`, other);
      await server.clock.advance(61_000);
      const precedence = async (name: string): Promise<number> =>
        (await server.request("GET", `${path}/${name}`)).json.spec?.matchingPrecedence;
      assert.equal(await precedence("catch-all"), 10_000);
      assert.equal(await precedence("probes"), 2);
      assert.equal(await precedence("service-accounts"), 8999);
      assert.equal(await precedence("kube-scheduler"), 800);
    }),
  );

  it(
    "a schema without a level says so and is passed over until there is one",
    inFlowServer(async (server) => {
      await server.clock.advance(1500);
      await addLevel(server, "mine", 5, ["u"]);
      const level = `${GROUP}/prioritylevelconfigurations/mine`;
      const headersOf = async () =>
        (await server.request("GET", MAPS, undefined, { "x-user": "u" })).headers;
      const { json: schema } = await server.request("GET", `${GROUP}/flowschemas/mine`);
      const header = "x-kubernetes-pf-flowschema-uid";
      assert.equal((await headersOf())[header], schema.metadata.uid);
      await server.request("DELETE", level);
      await server.clock.advance(10);
      assert.notEqual((await headersOf())[header], schema.metadata.uid);
      const { json: dangling } = await server.request("GET", `${GROUP}/flowschemas/mine`);
      const [condition] = dangling.status.conditions;
      assert.equal(`${condition.status} ${condition.reason}`, "True NotFound");
      assert.equal(
        condition.message,
        'This FlowSchema references the PriorityLevelConfiguration object named "mine" but there is no such object',
      );
    }),
  );

  it(
    "tables show what kubectl prints, schemas in the order in which they are tried",
    inFlowServer(async (server) => {
      await server.clock.advance(1500);
      const accept = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
      const { json } = await server.request("GET", `${GROUP}/flowschemas`, undefined, accept);
      const rows = json.rows.map(({ cells }: Body) =>
        cells.filter((_: Body, i: number) => i !== 4),
      );
      assert.deepEqual(rows.slice(0, 3), [
        ["exempt", "exempt", 1, "<none>", "False"],
        ["probes", "exempt", 2, "<none>", "False"],
        ["system-leader-election", "leader-election", 100, "ByUser", "False"],
      ]);
      const levels = await server.request(
        "GET",
        `${GROUP}/prioritylevelconfigurations`,
        undefined,
        accept,
      );
      assert.deepEqual(levels.json.rows[0].cells.slice(0, 6), [
        "catch-all",
        "Limited",
        5,
        "<none>",
        "<none>",
        "<none>",
      ]);
      assert.deepEqual(levels.json.rows.at(-1).cells.slice(0, 6), [
        "workload-low",
        "Limited",
        100,
        128,
        6,
        50,
      ]);
    }),
  );
});
