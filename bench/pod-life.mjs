// How long Pods take on a running cluster, from their creation to Ready and from their namespace's deletion to its end.
import https from "node:https";
import { pause } from "./measure.mjs";

/** Ends at once when it is killed. */
const SLEEPER = { command: ["sleep", "1000"], graceSeconds: 0 };
/** Ends by itself when it is asked to, as what is well behaved does. */
const POLITE = { command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"], graceSeconds: 30 };

const podOf = (name, { command, graceSeconds }) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: graceSeconds,
    containers: [
      {
        name: "c",
        image: "docker.io/library/busybox:latest",
        imagePullPolicy: "IfNotPresent",
        command,
      },
    ],
  },
});

/** Calls `onEvent` with each event of a list-watch of `path` until the returned function is called. */
async function watch(server, path, onEvent) {
  const { metadata } = await server.call("GET", `${path}?limit=1`);
  const request = https.request(
    new URL(`${path}?watch=1&resourceVersion=${metadata.resourceVersion}`, server.url),
    { headers: { authorization: `Bearer ${server.token}` }, rejectUnauthorized: false },
  );
  const isOpen = new Promise((resolve) => {
    request.on("response", (answer) => {
      resolve();
      let text = "";
      answer.on("data", (part) => {
        text += part;
        const lines = text.split("\n");
        text = lines.pop();
        for (const line of lines) onEvent(JSON.parse(line));
      });
      answer.on("error", () => {});
    });
  });
  request.on("error", () => {});
  request.end();
  // The head comes with the first event of an idle watch: a moment must do.
  await Promise.race([isOpen, pause(200)]);
  return () => request.destroy();
}

const isReady = ({ status }) =>
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");

/** Creates Pods and tells when each is Ready. */
class PodStarter {
  #server;
  #path;
  #ready = new Map();
  #waiting = new Map();

  #template;

  constructor(server, namespace, template = SLEEPER) {
    this.#server = server;
    this.#template = template;
    this.#path = `/api/v1/namespaces/${namespace}/pods`;
  }

  async open() {
    this.close = await watch(this.#server, this.#path, ({ object }) => {
      const { name } = object.metadata;
      if (!isReady(object) || this.#ready.has(name)) return;
      this.#ready.set(name, performance.now());
      this.#waiting.get(name)?.();
    });
  }

  /** @returns ms from the request to the event that shows it Ready. */
  async start(name) {
    const begun = performance.now();
    await this.#server.call("POST", this.#path, podOf(name, this.#template));
    if (!this.#ready.has(name)) await new Promise((resolve) => this.#waiting.set(name, resolve));
    return this.#ready.get(name) - begun;
  }

  /** @returns ms until the last of `count` that are asked for at once is Ready. */
  async startAll(count, stem) {
    const begun = performance.now();
    await Promise.all(Array.from({ length: count }, (_, i) => this.start(`${stem}-${i}`)));
    return Math.round(performance.now() - begun);
  }
}

/** @returns the median of `count` Pods, one after the other, in ms. */
export async function singlePod(server, namespace, count) {
  const starter = new PodStarter(server, namespace);
  await starter.open();
  const times = [];
  for (let i = 0; i < count; i++) times.push(await starter.start(`one-${i}`));
  starter.close();
  return Math.round(times.sort((a, b) => a - b)[Math.floor(count / 2)]);
}

/** @returns ms until `count` Pods that were created at once are all Ready. */
export async function podsAtOnce(server, namespace, count) {
  const starter = new PodStarter(server, namespace);
  await starter.open();
  const took = await starter.startAll(count, "many");
  starter.close();
  return took;
}

/**
 * Makes a namespace with `count` running Pods and deletes it; `around` is given what does the latter.
 *
 * @returns ms from the deletion to the event that shows it gone.
 */
export async function namespaceDeletion(server, namespace, count, around = (work) => work()) {
  await newNamespace(server, namespace);
  const starter = new PodStarter(server, namespace, POLITE);
  await starter.open();
  await starter.startAll(count, "polite");
  starter.close();
  await pause(2000);
  return around(() => deleteNamespace(server, namespace));
}

/** @returns ms from its deletion to the event that shows it gone. */
export async function deleteNamespace(server, namespace) {
  let told;
  const isGone = new Promise((resolve) => (told = resolve));
  const close = await watch(server, "/api/v1/namespaces", ({ type, object }) => {
    if (type === "DELETED" && object.metadata.name === namespace) told();
  });
  const begun = performance.now();
  await server.call("DELETE", `/api/v1/namespaces/${namespace}`);
  await isGone;
  close();
  return Math.round(performance.now() - begun);
}

/** A namespace in which Pods can be created at once: its service account is there. */
export async function newNamespace(server, name) {
  await server.call("POST", "/api/v1/namespaces", { metadata: { name } });
  const path = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  while (!(await server.call("GET", path).catch(() => undefined))) await pause(20);
}
