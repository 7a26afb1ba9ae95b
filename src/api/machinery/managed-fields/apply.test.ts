import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubeObject } from "../object.ts";
import type { FieldSchema, SchemaSet, TypeSchema } from "../schema.ts";
import { StatusError } from "../status-error.ts";
import { applyConfiguration } from "./apply.ts";
import { applyType, DEDUCED } from "./apply-type.ts";
import { EMPTY_SET, fieldSetOf, pathsOf, type FieldSet } from "./field-set.ts";
import { readManagers } from "./managers.ts";
import { formatPath } from "./path-element.ts";
import type { ManagedScope } from "./scope.ts";
import { managedAfterUpdate, managedAtCreation } from "./track-update.ts";

const text: FieldSchema = { type: "string" };
const item = (ref: string): FieldSchema => ({ type: "ref", ref });
const TYPES: Readonly<Record<string, Readonly<Record<string, FieldSchema>>>> = {
  Thing: {
    metadata: item("Meta"),
    n: { type: "integer" },
    s: text,
    b: { type: "boolean" },
    struct: item("Part"),
    whole: { ...item("Part"), mapType: "atomic" },
    set: { type: "array", items: text, listType: "set" },
    atoms: { type: "array", items: text },
    map: { type: "map", items: text },
    fixed: { type: "map", items: text, mapType: "atomic" },
    parts: { type: "array", items: item("Part"), listType: "map", listMapKeys: ["name"] },
    ports: {
      type: "array",
      items: item("Port"),
      listType: "map",
      listMapKeys: ["port", "protocol"],
    },
    status: { type: "map", items: text },
  },
  Meta: { name: text, labels: { type: "map", items: text } },
  Part: { name: text, value: text, more: { type: "map", items: text } },
  Port: { name: text, port: { type: "integer" }, protocol: { ...text, default: "TCP" } },
};
const schemas: SchemaSet = {
  type: (name): TypeSchema => made[name]!,
  root: () => undefined,
};
const made = Object.fromEntries(
  Object.entries(TYPES).map(([name, fields]) => [name, { name, fields }]),
);
const type = applyType(schemas, made["Thing"]!);

type Thing = KubeObject & Readonly<Record<string, unknown>>;

/** One object and its managers, changed step by step as a server would. */
class State {
  object: Thing | undefined;
  #second = 0;
  readonly #reset: FieldSet;

  constructor(reset: FieldSet = EMPTY_SET) {
    this.#reset = reset;
  }

  #scope(apiVersion = "v1", subresource = ""): ManagedScope {
    return {
      apiVersion,
      type,
      subresource,
      reset: this.#reset,
      convert: (object, version) => (version === "gone" ? undefined : { type, object }),
    };
  }

  #writer(manager: string): { manager: string; time: string } {
    return { manager, time: `2026-01-01T00:00:${String(++this.#second).padStart(2, "0")}Z` };
  }

  apply(manager: string, config: object, isForced = false, apiVersion = "v1"): this {
    const options = { writer: this.#writer(manager), isForced, subject: "/a; v1, Kind=Thing" };
    const { object, managedFields } = applyConfiguration(
      this.#scope(apiVersion),
      this.object,
      config as KubeObject,
      options,
    );
    const plain = JSON.parse(JSON.stringify(object, (_, value) => value ?? undefined)) as Thing;
    this.object = { ...plain, metadata: { ...plain.metadata, managedFields } };
    return this;
  }

  update(manager: string, object: object, subresource = "", apiVersion = "v1"): this {
    const scope = this.#scope(apiVersion, subresource);
    const next = object as Thing;
    const managedFields = this.object
      ? managedAfterUpdate(scope, this.object, next, this.#writer(manager))
      : managedAtCreation(scope, next, this.#writer(manager));
    const metadata = { ...next.metadata, ...(managedFields && { managedFields }) };
    this.object = { ...next, metadata };
    return this;
  }

  /** `name: .path .path`, with `*` behind the name of one who applied; in their order. */
  get owners(): string[] {
    return [...readManagers(this.object?.metadata?.managedFields)!.values()].map(
      ({ manager, operation, set, subresource }) => {
        const who = `${manager}${operation === "Apply" ? "*" : ""}${subresource && `/${subresource}`}`;
        return `${who}: ${pathsOf(set).map(formatPath).join(" ")}`;
      },
    );
  }

  get data(): object {
    const { metadata, ...data } = this.object!;
    void metadata;
    return data;
  }
}

const refusal = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error.status.message!;
  }
  return "";
};

interface Case {
  readonly name: string;
  readonly run: (state: State) => unknown;
  readonly data: object;
  readonly owners: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "leafs: what one applied and does not say any more goes",
    run: (s) => s.apply("a", { n: 1, s: "x", b: true }).apply("a", { n: 2 }),
    data: { n: 2 },
    owners: ["a*: .n"],
  },
  {
    name: "two appliers of one value own it together, and it stays while one says it",
    run: (s) => s.apply("a", { n: 1, s: "x" }).apply("b", { n: 1 }).apply("a", { s: "x" }),
    data: { n: 1, s: "x" },
    owners: ["b*: .n", "a*: .s"],
  },
  {
    name: "what an updater set stays when an applier never said it",
    run: (s) =>
      s
        .apply("a", { n: 1 })
        .update("u", { n: 1, s: "x" })
        .apply("a", { n: 1 })
        .apply("a", { b: true }),
    data: { s: "x", b: true },
    owners: ["a*: .b", "u: .s"],
  },
  {
    name: "an updater takes over what it changes",
    run: (s) => s.apply("a", { n: 1, s: "x" }).update("u", { n: 2, s: "x" }),
    data: { n: 2, s: "x" },
    owners: ["a*: .s", "u: .n"],
  },
  {
    name: "force takes over from appliers and updaters",
    run: (s) =>
      s.apply("a", { n: 1 }).update("u", { n: 1, s: "x" }).apply("b", { n: 3, s: "y" }, true),
    data: { n: 3, s: "y" },
    owners: ["b*: .n .s"],
  },
  {
    name: "sets: items are owned one by one",
    run: (s) =>
      s
        .apply("a", { set: ["x", "y"] })
        .apply("b", { set: ["y", "z"] })
        .apply("a", { set: ["x"] }),
    data: { set: ["x", "y", "z"] },
    owners: ['b*: .set[="y"] .set[="z"]', 'a*: .set[="x"]'],
  },
  {
    name: "sets: the last item removed removes the list",
    run: (s) => s.apply("a", { n: 1, set: ["x"] }).apply("a", { n: 1 }),
    data: { n: 1 },
    owners: ["a*: .n"],
  },
  {
    name: "keyed lists merge item by item and keep the order of the configuration",
    run: (s) =>
      s
        .apply("a", {
          parts: [
            { name: "x", value: "1" },
            { name: "y", value: "1" },
          ],
        })
        .apply("b", {
          parts: [
            { name: "z", value: "2" },
            { name: "x", more: { k: "v" } },
          ],
        }),
    data: {
      parts: [
        { name: "z", value: "2" },
        { name: "x", value: "1", more: { k: "v" } },
        { name: "y", value: "1" },
      ],
    },
    owners: [
      'a*: .parts[name="x"] .parts[name="y"] .parts[name="x"].name .parts[name="x"].value ' +
        '.parts[name="y"].name .parts[name="y"].value',
      'b*: .parts[name="x"] .parts[name="z"] .parts[name="x"].name .parts[name="x"].more.k ' +
        '.parts[name="z"].name .parts[name="z"].value',
    ],
  },
  {
    name: "keyed lists: an item another has a part of stays with that part",
    run: (s) =>
      s
        .apply("a", { parts: [{ name: "x", value: "1" }] })
        .apply("b", { parts: [{ name: "x", more: { k: "v" } }] })
        .apply("a", { n: 1 }),
    data: { n: 1, parts: [{ name: "x", more: { k: "v" } }] },
    owners: ['b*: .parts[name="x"] .parts[name="x"].name .parts[name="x"].more.k', "a*: .n"],
  },
  {
    name: "atomic lists, maps and structs are owned and replaced whole",
    run: (s) =>
      s
        .apply("a", { atoms: ["x", "y"], fixed: { k: "v" }, whole: { name: "n", value: "v" } })
        .apply("a", { atoms: ["z"], fixed: { l: "w" }, whole: { name: "n" } }),
    data: { atoms: ["z"], fixed: { l: "w" }, whole: { name: "n" } },
    owners: ["a*: .atoms .fixed .whole"],
  },
  {
    name: "granular maps and structs merge by key",
    run: (s) =>
      s
        .apply("a", { map: { k: "1", l: "1" }, struct: { name: "n" } })
        .apply("b", { map: { m: "2" }, struct: { value: "v" } })
        .apply("a", { map: { k: "1" } }),
    data: { map: { k: "1", m: "2" }, struct: { value: "v" } },
    owners: ["b*: .map.m .struct.value", "a*: .map.k"],
  },
  {
    name: "default keys: an item that leaves its protocol out is the TCP one",
    run: (s) =>
      s
        .apply("a", {
          ports: [
            { port: 80, name: "x" },
            { port: 80, protocol: "UDP" },
          ],
        })
        .update("d", {
          ports: [
            { port: 80, name: "x", protocol: "TCP" },
            { port: 80, protocol: "UDP" },
          ],
        })
        .apply("a", { ports: [{ port: 80, name: "y" }] }),
    data: { ports: [{ port: 80, name: "y", protocol: "TCP" }] },
    owners: [
      'a*: .ports[port=80,protocol="TCP"] .ports[port=80,protocol="TCP"].name ' +
        '.ports[port=80,protocol="TCP"].port',
      'd: .ports[port=80,protocol="TCP"].protocol',
    ],
  },
  {
    name: "obsolete versions: a manager whose version is gone is forgotten",
    run: (s) => s.update("u", { n: 1 }, "", "gone").apply("a", { n: 2 }),
    data: { n: 2 },
    owners: ["a*: .n"],
  },
  {
    name: "one applier has one set, whatever version it applies in",
    run: (s) => s.apply("a", { n: 1, s: "x" }, false, "v1").apply("a", { n: 1 }, false, "v2"),
    data: { n: 1 },
    owners: ["a*: .n"],
  },
  {
    name: "updates of a subresource are a manager of their own",
    run: (s) => s.update("u", { n: 1 }).update("u", { n: 1, status: { p: "1" } }, "status"),
    data: { n: 1, status: { p: "1" } },
    owners: ["u: .n", "u/status: .status .status.p"],
  },
  {
    name: "an apply on an object nobody tracked makes the first owner of all",
    run: (s) => {
      s.object = { n: 1, map: { k: "v" }, metadata: { name: "a", uid: "u" } };
      s.update("ignored", { ...s.data, s: "x", metadata: { name: "a", uid: "u" } });
      assert.deepEqual(s.owners, []);
      s.apply("a", { map: { k: "v", l: "w" } });
    },
    data: { n: 1, map: { k: "v", l: "w" }, s: "x" },
    owners: ["a*: .map.k .map.l", "before-first-apply: .map .n .s .map.k"],
  },
];

describe("applyConfiguration", () => {
  for (const { name, run, data, owners } of CASES)
    it(name, () => {
      const state = new State();
      run(state);
      assert.deepEqual(state.data, data);
      assert.deepEqual(state.owners, owners);
    });

  it("leaves out fields that the endpoint resets", () => {
    const state = new State(fieldSetOf(["f:status"]));
    state.apply("a", { n: 1, status: { p: "1" } });
    assert.deepEqual(state.owners, ["a*: .n"]);
    state.update("u", { n: 1, status: { p: "2" }, s: "x" });
    assert.deepEqual(state.owners, ["a*: .n", "u: .s"]);
  });

  it("changes nothing when nothing changes, down to the entries", () => {
    const state = new State().apply("a", { n: 1, parts: [{ name: "x" }] });
    const before = state.object!;
    state.apply("a", { n: 1, parts: [{ name: "x" }] });
    assert.deepEqual(state.object, before);
    const applied = state.object!.metadata!.managedFields!;
    assert.equal(applied[0], before.metadata!.managedFields![0]);
    state.update("u", { ...state.data, metadata: {} });
    assert.equal(state.object!.metadata!.managedFields, applied);
  });
});

describe("conflicts", () => {
  const message = (first: (s: State) => State, config: object, manager = "b"): string => {
    const state = first(new State());
    return refusal(() => state.apply(manager, config));
  };

  it("names one field and its applier", () => {
    assert.equal(
      message((s) => s.apply("a", { n: 1 }), { n: 2 }),
      'Apply failed with 1 conflict: conflict with "a": .n',
    );
  });

  it("names an updater with its version, and its subresource", () => {
    assert.equal(
      message((s) => s.update("u", { n: 1 }).update("u", { n: 2 }, "scale"), { n: 3 }),
      'Apply failed with 1 conflict: conflict with "u" with subresource "scale" using v1: .n',
    );
  });

  it("groups several by manager", () => {
    const first = (s: State): State =>
      s.apply("a", { n: 1, parts: [{ name: "x", value: "1" }] }).update("u", {
        n: 1,
        s: "t",
        parts: [{ name: "x", value: "1" }],
      });
    assert.equal(
      message(first, { n: 2, s: "q", parts: [{ name: "x", value: "2" }] }),
      'Apply failed with 3 conflicts: conflicts with "a":\n- .n\n- .parts[name="x"].value\n' +
        'conflicts with "u" using v1:\n- .s',
    );
  });

  it("an explicit null of another's field conflicts", () => {
    assert.equal(
      message((s) => s.apply("a", { n: 1 }), { n: null }),
      'Apply failed with 1 conflict: conflict with "a": .n',
    );
  });

  it("there is none where the values are the same", () => {
    assert.equal(
      message((s) => s.apply("a", { n: 1, set: ["x"] }), { n: 1, set: ["y"] }),
      "",
    );
  });
});

describe("configurations that do not fit", () => {
  const REFUSALS: readonly [object, string][] = [
    [{ q: 1 }, ".q: field not declared in schema"],
    [{ n: "1" }, ".n: expected numeric (int or float), got *value.valueUnstructured"],
    [{ s: 1 }, ".s: expected string, got &value.valueUnstructured{Value:1}"],
    [{ s: ["a"] }, '.s: expected string, got &value.valueUnstructured{Value:[]interface {}{"a"}}'],
    [{ b: "x" }, ".b: expected boolean, got &{x}"],
    [{ map: [] }, ".map: expected map, got &{[]}"],
    [{ set: "x" }, ".set: expected list, got &{x}"],
    [{ set: ["x", "x"] }, '.set: duplicate entries for key [="x"]'],
    [{ parts: [{ name: "x" }, { name: "x" }] }, '.parts: duplicate entries for key [name="x"]'],
    [
      { parts: [{ value: "v" }] },
      '.parts: element 0: associative list with keys has an element that omits all key fields ["name"] ' +
        "(and doesn't have default values for any key fields)",
    ],
    [
      { parts: [null] },
      ".parts: element 0: associative list with keys may not have a null element",
    ],
    [{ parts: [{ name: "x", z: 1 }] }, '.parts[name="x"].z: field not declared in schema'],
    [{ whole: { z: 1 } }, ".whole.z: field not declared in schema"],
    [
      { n: "1", struct: { z: 1 } },
      "errors:\n  .n: expected numeric (int or float), got *value.valueUnstructured\n" +
        "  .struct.z: field not declared in schema",
    ],
  ];
  for (const [config, problem] of REFUSALS)
    it(problem, () =>
      assert.equal(
        refusal(() => new State().apply("a", config)),
        `failed to create typed patch object (/a; v1, Kind=Thing): ${problem}`,
      ),
    );

  it("managers in the configuration", () => {
    assert.equal(
      refusal(() => new State().apply("a", { metadata: { managedFields: [] } })),
      "metadata.managedFields must be nil",
    );
  });
});

describe("duplicates that a client stored", () => {
  const twice = {
    parts: [
      { name: "x", value: "1" },
      { name: "x", value: "2" },
    ],
  };

  it("are owned by their key alone", () => {
    const state = new State().update("u", { n: 1 }).update("u", { n: 1, ...twice });
    assert.deepEqual(state.owners, ['u: .n .parts .parts[name="x"]']);
  });

  it("become one item when one is applied", () => {
    const state = new State().update("u", { n: 1, ...twice });
    state.apply("a", { parts: [{ name: "x", value: "3" }] }, true);
    assert.deepEqual(state.data, { n: 1, parts: [{ name: "x", value: "3" }] });
  });
});

describe("objects without a schema", () => {
  const scope: ManagedScope = {
    apiVersion: "x.io/v1",
    type: DEDUCED,
    subresource: "",
    reset: EMPTY_SET,
    convert: (object) => ({ type: DEDUCED, object }),
  };
  const apply = (live: KubeObject | undefined, config: object, manager: string): Thing => {
    const writer = { manager, time: "2026-01-01T00:00:00Z" };
    const options = { writer, isForced: true, subject: "" };
    const { object, managedFields } = applyConfiguration(scope, live, config as Thing, options);
    return { ...object, metadata: { managedFields } } as Thing;
  };

  it("merge maps by key, at any depth, and replace lists", () => {
    const first = apply(undefined, { spec: { a: { b: 1 }, list: [{ name: "x" }] } }, "m");
    const second = apply(first, { spec: { a: { c: 2 }, list: [{ name: "y" }] } }, "n");
    assert.deepEqual(second["spec"], { a: { b: 1, c: 2 }, list: [{ name: "y" }] });
    const [m, n] = [...readManagers(second.metadata!.managedFields)!.values()];
    assert.deepEqual(pathsOf(m!.set).map(formatPath), [".spec", ".spec.a", ".spec.a.b"]);
    assert.deepEqual(pathsOf(n!.set).map(formatPath), [
      ".spec",
      ".spec.a",
      ".spec.list",
      ".spec.a.c",
    ]);
  });

  it("a value that changes its form changes whole", () => {
    const first = apply(undefined, { spec: { a: { b: 1 } } }, "m");
    const second = apply(first, { spec: { a: "text" } }, "n");
    assert.deepEqual(second["spec"], { a: "text" });
  });
});

describe("too many updaters", () => {
  it("the oldest are joined, one entry per version", () => {
    const state = new State();
    const data: Record<string, string> = {};
    for (let index = 0; index < 13; index++) {
      data[`k${index}`] = "v";
      state.update(`u${index}`, { map: { ...data } }, "", index === 1 ? "v2" : "v1");
    }
    const owners = state.owners;
    assert.equal(owners.length, 10);
    assert.equal(owners.filter((owner) => owner.startsWith("ancient-changes")).length, 1);
    assert.ok(owners.includes("ancient-changes: .map .map.k0 .map.k2 .map.k3 .map.k4"));
    assert.ok(owners.includes("u1: .map.k1"));
  });
});

describe("kubectl after its client-side apply", () => {
  const LAST = "kubectl.kubernetes.io/last-applied-configuration";
  const applied = (config: object): Thing => {
    const annotations = { [LAST]: JSON.stringify({ apiVersion: "v1", ...config }) };
    return { ...config, metadata: { name: "a", annotations } } as unknown as Thing;
  };
  const annotated: SchemaSet = {
    ...schemas,
    type: (name) =>
      name === "Meta"
        ? { name, fields: { ...TYPES["Meta"]!, annotations: { type: "map", items: text } } }
        : name === "Thing"
          ? { name, fields: { apiVersion: text, ...TYPES["Thing"]! } }
          : schemas.type(name),
  };
  const scope: ManagedScope = {
    apiVersion: "v1",
    type: applyType(annotated, annotated.type("Thing")),
    subresource: "",
    reset: EMPTY_SET,
    convert: (object) => ({ type: scope.type, object }),
  };
  const live = (config: object): Thing => {
    const object = applied(config);
    const writer = { manager: "kubectl-client-side-apply", time: "2026-01-01T00:00:00Z" };
    const managedFields = managedAtCreation(scope, object, writer)!;
    return { ...object, metadata: { ...object.metadata, managedFields } };
  };
  const apply = (
    before: Thing,
    config: object,
    manager: string,
  ): ReturnType<typeof applyConfiguration> =>
    applyConfiguration(scope, before, { apiVersion: "v1", ...config } as KubeObject, {
      writer: { manager, time: "2026-01-01T00:00:01Z" },
      isForced: false,
      subject: "",
    });

  it("takes over what the annotation says without a conflict, and keeps the annotation up to date", () => {
    const { object } = apply(live({ n: 1, s: "x" }), { n: 2 }, "kubectl");
    assert.equal((object as Thing)["n"], 2);
    assert.equal(object.metadata!.annotations![LAST], '{"apiVersion":"v1","n":2}\n');
  });

  it("under another name it is a stranger", () => {
    assert.match(
      refusal(() => apply(live({ n: 1 }), { n: 2 }, "me")),
      /conflict with "kubectl-client-side-apply" using v1: \.n/,
    );
  });

  it("what the annotation says no more conflicts", () => {
    const before = live({ n: 1, s: "x" });
    const changed = { ...before, n: 5 } as unknown as Thing;
    assert.match(
      refusal(() => apply(changed, { n: 2, s: "y" }, "kubectl")),
      /^Apply failed with 1 conflict: .*: \.n$/,
    );
  });
});
