import { formatTime } from "../base/clock.ts";
import { ApiProbe } from "../host/api-probe.ts";
import { newJoinToken, parseDuration } from "./bootstrap-token.ts";
import { OUTPUT_FLAG, UsageError, wantsJson, type Command, type Invocation } from "./command.ts";
import { runningCluster } from "./local.ts";

const TTL_DEFAULT = "24h";

/** `skiff token create`: what a machine needs to join the cluster. */
export const tokenCreate: Command = {
  name: "token create",
  summary: "make a token with which a machine can join the cluster",
  operands: "",
  flags: [
    {
      name: "ttl",
      kind: "text",
      placeholder: "DURATION",
      description: `how long it holds, such as 30m or 24h; 0: for ever (default ${TTL_DEFAULT})`,
    },
    OUTPUT_FLAG,
  ],
  details:
    "Prints TOKENID.SECRET. It is a Secret bootstrap-token-TOKENID in namespace kube-system.",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { flags, operands, surroundings } = invocation;
  if (operands.length > 0)
    throw new UsageError(`'skiff token create' takes no operand: '${operands[0]}'`);
  const ttl = flags.text("ttl") ?? TTL_DEFAULT;
  const ttlMs = parseDuration(ttl);
  if (ttlMs === undefined)
    throw new UsageError(`--ttl '${ttl}': expected a duration such as 30m, 24h or 0 (for ever)`);
  const { cluster } = runningCluster(invocation);
  const { clock, random, print } = surroundings;
  const expiresAt = ttlMs === 0 ? undefined : clock.now() + ttlMs;
  const { token, secret } = newJoinToken(random, expiresAt);
  await post(new ApiProbe(cluster.state.adminKubeconfig), secret);
  const expiration = expiresAt === undefined ? {} : { expiration: formatTime(expiresAt) };
  print(wantsJson(flags) ? JSON.stringify({ token, ...expiration }) : token);
  return 0;
}

async function post(probe: ApiProbe, secret: object): Promise<void> {
  try {
    const answer = await probe.post("/api/v1/namespaces/kube-system/secrets", secret);
    if (!answer) throw new Error("the API server does not answer: see 'skiff status'");
    if (answer.status === 201) return;
    const { message } = JSON.parse(answer.body) as { message?: string };
    throw new Error(message ?? `the API server answered ${answer.status}`);
  } finally {
    probe.close();
  }
}
