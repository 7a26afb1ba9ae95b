import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import { NO_SCORE, ScoreTree } from "./score-tree.ts";

describe("ScoreTree", () => {
  it("knows the highest score and who has it, after any changes", () => {
    const random = new SeededRandom(1);
    for (let round = 0; round < 200; round++) {
      const slots = 1 + random.integer(40);
      const tree = new ScoreTree(slots);
      const scores = new Array<number>(slots).fill(NO_SCORE);
      for (let change = 0; change < 60; change++) {
        const slot = random.integer(slots);
        scores[slot] = random.integer(5) - 1;
        tree.set(slot, scores[slot]!);
        const best = Math.max(...scores);
        const winners = scores.flatMap((score, at) => (score === best ? [at] : []));
        assert.equal(tree.best, best);
        assert.equal(tree.winners, best === NO_SCORE ? 0 : winners.length);
        for (let rank = 0; rank < tree.winners; rank++)
          assert.equal(tree.winner(rank), winners[rank]);
      }
    }
  });

  it("is right again after slots were put and it was rebuilt", () => {
    const tree = new ScoreTree(5);
    [3, 1, 3, 2, 3].forEach((score, slot) => tree.put(slot, score));
    tree.rebuild();
    assert.equal(tree.winners, 3);
    assert.deepEqual(
      [0, 1, 2].map((rank) => tree.winner(rank)),
      [0, 2, 4],
    );
  });
});
