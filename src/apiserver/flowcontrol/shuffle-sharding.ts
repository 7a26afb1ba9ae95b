import { createHash } from "node:crypto";

/**
 * The queues that one flow may use: `handSize` of `queues` different ones, dealt by a hash of the flow.
 *
 * Two flows rarely have all of their queues in common, so a flow that fills its own leaves others a free one.
 * @spec k8s@1.36 apiserver util/shufflesharding/dealer.go Deal; util/flowcontrol hashFlowID
 */
export function dealHand(
  schema: string,
  distinguisher: string,
  queues: number,
  handSize: number,
): readonly number[] {
  const digest = createHash("sha256").update(`${schema}\u0000${distinguisher}`).digest();
  let entropy = digest.readBigUInt64LE(0);
  const hand: number[] = [];
  for (let dealt = 0; dealt < handSize; dealt++) {
    const left = BigInt(queues - dealt);
    let card = Number(entropy % left);
    entropy /= left;
    // The card-th of those that are left: step over the ones already dealt, in ascending order.
    for (const taken of [...hand].sort((a, b) => a - b)) if (card >= taken) card++;
    hand.push(card);
  }
  return hand;
}
