import type { V1FlowSchema, V1PriorityLevelConfiguration } from "../../gen/types.ts";
import { DANGLING, FlowSchema, flowSchemaResource } from "../../api/flowcontrol/flow-schema.ts";
import {
  AUTO_UPDATE,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from "../../api/flowcontrol/default-objects.ts";
import { PriorityLevelConfiguration } from "../../api/flowcontrol/priority-level-configuration.ts";
import { equalSemantic } from "../../api/machinery/equality.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { isStatusError } from "../../api/machinery/status-error.ts";
import { formatTime } from "../../base/clock.ts";
import { Closed } from "../../store/store.ts";
import type { ApiCall } from "../api-call.ts";
import { systemCall } from "../background/system-call.ts";
import type { UpkeepTask } from "../background/upkeep.ts";
import { conformed } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import { KEYS_END } from "../registry/keys.ts";
import type { ServedResource } from "../resource-table.ts";
import { createObject } from "../verbs/create.ts";
import { deleteObject } from "../verbs/delete.ts";
import { updateObject, type ChangeRules } from "../verbs/update.ts";
import type { FlowControl } from "./flow-control.ts";

/** When the default objects are made, ms after the start: nothing waits for them, since they are what is in force without them. */
const FIRST_MS = 1000;
/** How often they are set right, ms. @spec k8s@1.36 pkg/registry/flowcontrol/rest/storage_flowcontrol.go */
const ENSURE_MS = 60_000;
/** Statuses written of one schema in a minute: someone else may insist on another. @spec apf_controller.go shouldDelayUpdate */
const STATUSES_MAX = 5;
const MINUTE_MS = 60_000;

/** Who manages the fields of the objects and of their statuses. @spec pkg/registry/flowcontrol/ensurer, apf_controller.go */
const PRODUCER = "api-priority-and-fairness-config-producer-v1";
const CONSUMER = "api-priority-and-fairness-config-consumer-v1";

type Spec = { readonly spec?: unknown } & KubeObject;

/**
 * Keeps `flows` as the objects say. `keeps`: also makes the default objects, and writes which schemas refer to no level.
 *
 * @returns what is to be done again and again.
 */
export function followFlowObjects(
  parts: ServerParts,
  flows: FlowControl,
  keeps: boolean,
): readonly UpkeepTask[] {
  const [schemas, levels] = [FlowSchema, PriorityLevelConfiguration].map((kind) =>
    parts.resources.of(kind as Kind),
  );
  if (!schemas || !levels) return [];
  const keeper = new FlowObjects(parts, schemas, levels);
  let isPlanned = false;
  const configure = (): void => {
    isPlanned = false;
    flows.configure(keeper.schemas(), keeper.levels());
    if (keeps) keeper.inBackground(keeper.keepStatuses());
  };
  const plan = (): void => {
    if (isPlanned) return;
    isPlanned = true;
    queueMicrotask(configure);
  };
  schemas.cache.listeners.add(plan);
  levels.cache.listeners.add(plan);
  if (schemas.cache.versions.size + levels.cache.versions.size > 0) configure();
  if (!keeps) return [];
  return [{ periodMs: ENSURE_MS, firstMs: FIRST_MS, run: () => keeper.ensure() }];
}

/** The objects of both kinds, and what the server itself writes of them. */
class FlowObjects {
  readonly #parts: ServerParts;
  readonly #schemas: ServedResource;
  readonly #levels: ServedResource;
  /** When the status of a schema was written, newest last. */
  readonly #written = new Map<string, number[]>();

  constructor(parts: ServerParts, schemas: ServedResource, levels: ServedResource) {
    this.#parts = parts;
    this.#schemas = schemas;
    this.#levels = levels;
  }

  schemas(): readonly V1FlowSchema[] {
    return objectsOf(this.#schemas);
  }

  levels(): readonly V1PriorityLevelConfiguration[] {
    return objectsOf(this.#levels);
  }

  inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (error instanceof Closed || isStatusError(error, "ServiceUnavailable")) return;
      const { logger } = this.#parts;
      logger.warning("flow control objects are not as they should be", { error: String(error) });
    });
  }

  /** Makes what is missing, brings up to date what nobody has changed, removes what earlier releases made. */
  async ensure(): Promise<void> {
    await Promise.all([
      ...this.#ensureAll(this.#levels, mandatoryPriorityLevels, suggestedPriorityLevels),
      ...this.#ensureAll(this.#schemas, mandatoryFlowSchemas, suggestedFlowSchemas),
    ]);
  }

  /** Says of each schema whether its level is missing. @spec apf_controller.go presyncFlowSchemaStatus */
  async keepStatuses(): Promise<void> {
    const levels = new Set(this.levels().map(({ metadata }) => metadata?.name));
    await Promise.all(
      this.schemas().map(async (schema) => {
        const level = schema.spec?.priorityLevelConfiguration?.name ?? "";
        const wanted = danglingCondition(level, levels.has(level));
        const present = schema.status?.conditions?.find(({ type }) => type === DANGLING);
        const isRight =
          present?.status === wanted.status &&
          present.reason === wanted.reason &&
          present.message === wanted.message;
        if (!isRight && this.#mayWrite(schema)) await this.#writeCondition(schema, wanted);
      }),
    );
  }

  #ensureAll(
    served: ServedResource,
    mandatory: readonly Spec[],
    suggested: readonly Spec[],
  ): readonly Promise<unknown>[] {
    const names = new Set([...mandatory, ...suggested].map(nameOf));
    const stale = objectsOf<Spec>(served).filter(
      (object) => !names.has(nameOf(object)) && annotationOf(object) === true,
    );
    return [
      ...mandatory.map((object) => this.#ensureOne(served, object, true)),
      ...suggested.map((object) => this.#ensureOne(served, object, false)),
      ...stale.map((object) => deleteObject(this.#parts, this.#call(served, "delete", object), {})),
    ];
  }

  /** @spec k8s@1.36 pkg/registry/flowcontrol/ensurer/strategy.go */
  async #ensureOne(served: ServedResource, wanted: Spec, isMandatory: boolean): Promise<void> {
    const present = served.cache.get(nameOf(wanted))?.object as Spec | undefined;
    if (!present) {
      const call = this.#call(served, "create", wanted);
      const object = conformed(this.#parts, call, served, wanted);
      await createObject(this.#parts, call, object).catch((error: unknown) => {
        if (!isStatusError(error, "AlreadyExists")) throw error;
      });
      return;
    }
    const follows = isMandatory || (annotationOf(present) ?? present.metadata?.generation === 1);
    const spec = follows ? followedSpec(present, wanted) : present.spec;
    const isRight = annotationOf(present) === follows && equalSemantic(present.spec, spec);
    if (isRight) return;
    const annotations = { ...present.metadata?.annotations, [AUTO_UPDATE]: String(follows) };
    const changed = { ...present, spec, metadata: { ...present.metadata, annotations } };
    const call = this.#call(served, "update", wanted);
    const object = conformed(this.#parts, call, served, changed);
    await updateObject(this.#parts, call, { wanted: () => object });
  }

  #mayWrite(schema: V1FlowSchema): boolean {
    const now = this.#parts.clock.monotonic();
    const recent = (this.#written.get(nameOf(schema)) ?? []).filter(
      (atMs) => atMs > now - MINUTE_MS,
    );
    this.#written.set(nameOf(schema), [...recent, now].slice(-STATUSES_MAX));
    return recent.length < STATUSES_MAX;
  }

  async #writeCondition(
    schema: V1FlowSchema,
    wanted: ReturnType<typeof danglingCondition>,
  ): Promise<void> {
    const call = this.#call(this.#schemas, "update", schema, CONSUMER);
    const lastTransitionTime = formatTime(this.#parts.clock.now());
    const rules = flowSchemaResource.subresources!.status as unknown as ChangeRules;
    const update = updateObject(this.#parts, call, {
      isPatch: true,
      rules,
      wanted: (old) => {
        const object = old!.object as V1FlowSchema;
        const others = (object.status?.conditions ?? []).filter(({ type }) => type !== DANGLING);
        return {
          ...object,
          status: { conditions: [...others, { ...wanted, lastTransitionTime }] },
        } as KubeObject;
      },
    });
    await update.catch((error: unknown) => {
      if (!isStatusError(error, "NotFound")) throw error;
    });
  }

  #call(served: ServedResource, verb: string, object: KubeObject, manager = PRODUCER): ApiCall {
    const { group, version, plural } = served.kind;
    const name = nameOf(object);
    const target = { group, version, plural, verb, namespace: "", name };
    const call = systemCall(this.#parts, target);
    return call.withFlags({ ...call.flags, fieldManager: manager });
  }
}

const nameOf = ({ metadata }: KubeObject): string => metadata?.name ?? "";

function objectsOf<T extends KubeObject>({ cache }: ServedResource): readonly T[] {
  return cache.versions.slice("", KEYS_END, Infinity).map(({ object }) => object as T);
}

/** Whether the object says that it follows the server's default; `undefined`: it says nothing of the kind. */
function annotationOf({ metadata }: KubeObject): boolean | undefined {
  const text = metadata?.annotations?.[AUTO_UPDATE];
  return text === "true" ? true : text === "false" ? false : undefined;
}

/** The default spec; of the exempt level, the shares are the administrator's. */
function followedSpec(present: Spec, wanted: Spec): unknown {
  const own = (present.spec as { exempt?: unknown } | undefined)?.exempt;
  const spec = wanted.spec as { exempt?: unknown };
  return own && spec.exempt ? { ...spec, exempt: own } : spec;
}

function danglingCondition(level: string, isFound: boolean) {
  const what = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`;
  return isFound
    ? { type: DANGLING, status: "False", reason: "Found", message: `${what} and it exists` }
    : {
        type: DANGLING,
        status: "True",
        reason: "NotFound",
        message: `${what} but there is no such object`,
      };
}
