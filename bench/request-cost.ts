// What one request costs the main thread, in µs of CPU time, layer by layer: `npm run bench:requests [-- ROUNDS]`. No sockets: the
// pipeline is called as the transport calls it, on LMDB, with all default admission; noise of other processes does not count.
import { ServiceAccount } from "../src/api/core/service-account.ts";
import { ownCpuTime } from "./schedule/cpu-time.ts";
import { startBenchPlane, type BenchPlane } from "./schedule/in-process.ts";
import { inParallel } from "./schedule/objects.ts";

const rounds = Number(process.argv[2] ?? 6);
const PER_ROUND = 4000;
const LONE_PER_ROUND = 1000;
const IN_FLIGHT = 32;
const NS = "/api/v1/namespaces/default";

const podSpec = {
  schedulerName: "none",
  containers: [
    {
      name: "c",
      image: "nginx:1.25",
      ports: [{ containerPort: 80 }],
      resources: { requests: { cpu: "10m", memory: "16Mi" } },
      env: [{ name: "A", value: "b" }],
    },
  ],
};
const pod = (name: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: "bench", tier: "web" } },
    spec: podSpec,
  });
const map = (name: string): string =>
  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"},"data":{"a":"1","b":"2"}}`;

interface Cost {
  /** Of the main thread's processor time, and of the clock. */
  readonly cpuUs: number;
  readonly wallUs: number;
}

async function costOf(
  count: number,
  width: number,
  work: (at: number) => Promise<void>,
): Promise<Cost> {
  const [cpu, wall] = [ownCpuTime(), performance.now()];
  await inParallel(count, width, work);
  const wallUs = ((performance.now() - wall) * 1000) / count;
  return { cpuUs: (ownCpuTime() - cpu) / count, wallUs };
}

/** The middle one of the later half of the rounds: in the first ones, code is being compiled. */
function typical(values: readonly number[]): number {
  const late = values.slice(Math.floor(values.length / 2)).sort((a, b) => a - b);
  return late[Math.floor(late.length / 2)]!;
}

type Asks = (bench: BenchPlane, round: number, at: number) => Promise<void>;

/** What is asked `IN_FLIGHT` at a time, in this order. */
const ROWS: Readonly<Record<string, Asks>> = {
  "Pod create": ({ ask }, round, at) => ask("POST", `${NS}/pods`, pod(`p-${round}-${at}`)),
  "Pod create, dry run: no commit": ({ ask }, round, at) =>
    ask("POST", `${NS}/pods?dryRun=All`, pod(`d-${round}-${at}`)),
  "ConfigMap create": ({ ask }, round, at) =>
    ask("POST", `${NS}/configmaps`, map(`m-${round}-${at}`)),
  GET: ({ ask }, round) => ask("GET", `${NS}/pods/p-${round}-5`),
};

async function measure(title: string, runsLoops: boolean): Promise<void> {
  const bench = await startBenchPlane(runsLoops);
  if (!runsLoops)
    await bench.ask("POST", `${NS}/serviceaccounts`, '{"metadata":{"name":"default"}}');
  while (!bench.plane.cache.get(ServiceAccount, { namespace: "default", name: "default" }))
    await new Promise((resolve) => setTimeout(resolve, 50));
  const found = new Map<string, number[]>();
  const note = (name: string, us: number): void =>
    void found.set(name, [...(found.get(name) ?? []), us]);
  for (let round = 0; round < rounds; round++) {
    for (const [name, asks] of Object.entries(ROWS)) {
      const one = (at: number): Promise<void> => asks(bench, round, at);
      note(name, (await costOf(PER_ROUND, IN_FLIGHT, one)).cpuUs);
    }
    const lone = await costOf(LONE_PER_ROUND, 1, (at) =>
      bench.ask("POST", `${NS}/pods`, pod(`l-${round}-${at}`)),
    );
    note("Pod create, one after the other", lone.cpuUs);
    note("Pod create, one after the other, by the clock", lone.wallUs);
  }
  for (const [name, values] of found) {
    const all = values.map((us) => us.toFixed(0)).join(" ");
    console.log(
      `${`${title}: ${name}`.padEnd(80)} ${typical(values).toFixed(0).padStart(5)} µs   (${all})`,
    );
  }
  await bench.close();
}

await measure("API server alone", false);
await measure("with controllers and scheduler", true);
