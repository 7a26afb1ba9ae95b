// Data through kubectl in both directions: much of it, several at once, and one side that ends before the other.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { startCluster, type TestCluster, until } from "../support/cluster.ts";
import { shellPod, WAITING } from "../support/sample-apps.ts";

/** Text of so many bytes that is nowhere the same, `seed` first. */
function payload(seed: string, bytes: number): string {
  const lines: string[] = [];
  for (let size = 0, line = 0; size < bytes; line++) {
    lines.push(`${seed} ${line} ${String(line).repeat(8)}\n`);
    size += lines.at(-1)!.length;
  }
  return lines.join("");
}

const MEGABYTE = 2 ** 20;
const BATCHES = 120;
const BATCH_LINES = 1000;
const PAD = "x".repeat(180);

describe("streams through kubectl", { concurrency: 4 }, () => {
  let cluster: TestCluster;
  const ready = (pod: string): Promise<string> =>
    cluster.kubectl(`wait --for=condition=Ready pod/${pod} --timeout=40s`);
  const reader = (name: string): object =>
    shellPod(name, "cat", {
      container: { stdin: true, stdinOnce: true },
      spec: { restartPolicy: "Never" },
    });
  /** Sends `text` to a port of this machine; resolves with what came until the other side closed. */
  const talk = (port: number, text: string, endsAt: "once" | "the answer"): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = "";
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      socket.setEncoding("latin1");
      socket.on("data", (chunk: string) => {
        answer += chunk;
        if (endsAt === "the answer" && answer.length === text.length) socket.end();
      });
      socket.on("end", () => (socket.end(), resolve(answer)));
      socket.on("error", reject);
      socket.write(text);
      if (endsAt === "once") socket.end();
    });

  before(async () => {
    cluster = await startCluster(["busybox"]);
    const talkative =
      `b=0; while [ $b -lt ${BATCHES} ]; do seq $((b * ${BATCH_LINES} + 1)) $(((b + 1) * ${BATCH_LINES})) ` +
      `| sed 's/$/ ${PAD}/'; b=$((b + 1)); sleep 0.15; done; ${WAITING}`;
    await cluster.apply([
      shellPod("echo", "exec nc -ll -p 7 -e cat"),
      shellPod("shell", WAITING),
      shellPod("talkative", talkative),
      ...["one", "two", "three"].map((name) => reader(`reader-${name}`)),
    ]);
  });
  after(() => cluster?.close());

  it("attach carries megabytes to a process and back, and tells it the end; three at once", async () => {
    await Promise.all(
      ["one", "two", "three"].map(async (name) => {
        const pod = `reader-${name}`;
        await ready(pod);
        const text = payload(name, 3 * MEGABYTE);
        const { stdout } = await cluster.tryKubectl(`attach -i ${pod}`, { stdin: text });
        assert.equal(stdout.length, text.length);
        assert.ok(stdout === text, "every byte in its place");
        await until("the process has ended", async () =>
          (await cluster.kubectl(`get pod ${pod} -o jsonpath={.status.phase}`)).includes(
            "Succeeded",
          ),
        );
      }),
    );
  });

  it("exec carries megabytes to a command and back, its errors beside it; four at once", async () => {
    await ready("shell");
    await Promise.all(
      ["a", "b", "c", "d"].map(async (name) => {
        const text = payload(name, 2 * MEGABYTE);
        const script = `cat; echo ${name} is done >&2; exit 3`;
        const { code, stdout, stderr } = await cluster.tryKubectl(
          ["exec", "-i", "shell", "--", "sh", "-c", script],
          { stdin: text },
        );
        assert.ok(stdout === text, "every byte in its place");
        assert.match(stderr, new RegExp(`^${name} is done\n`));
        assert.equal(code, 3);
      }),
    );
  });

  it("port-forward joins many connections at once, each with megabytes both ways", async () => {
    await ready("echo");
    const forward = cluster.startKubectl("port-forward pod/echo :7");
    const port = Number(
      await until("kubectl listens", () => /127\.0\.0\.1:(\d+)/.exec(forward.output())?.[1]),
    );
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const text = payload(String(index), 2 * MEGABYTE);
        return (await talk(port, text, "the answer")) === text;
      }),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 8 }, () => true),
    );
    assert.equal(await talk(port, "one line\n", "once"), "one line\n", "a side that ends first");
    await forward.end();
  });

  it("logs -f goes on over rotations without a line missing", async () => {
    await ready("talkative");
    const following = cluster.startKubectl("logs -f talkative");
    const last = `\n${BATCHES * BATCH_LINES} ${PAD}\n`;
    await until("the last line", () => following.output().endsWith(last), 60_000);
    const { stdout } = await following.end();
    const lines = stdout.split("\n").slice(0, -1);
    assert.equal(lines.length, BATCHES * BATCH_LINES);
    const wrong = lines.findIndex((line, index) => line !== `${index + 1} ${PAD}`);
    assert.equal(wrong, -1, lines[wrong]?.slice(0, 20));
    const { stdout: files } = await cluster.skiff(
      "ssh",
      "--",
      "sh",
      "-c",
      "ls /var/log/pods/*talkative*/main",
    );
    assert.match(files, /^0\.log\.\d{8}-\d{6}/m, "it was rotated");
  });
});
