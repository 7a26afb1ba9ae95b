import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Pod } from "../../gen/types.ts";
import { hasStorageLimits, storageProblem } from "./storage-limits.ts";

const MI = 1024 * 1024;

function pod(volumeLimit: string, ...limits: string[]): V1Pod {
  return {
    spec: {
      volumes: [{ name: "v", emptyDir: volumeLimit ? { sizeLimit: volumeLimit } : {} }],
      containers: limits.map((limit, index) => ({
        name: `c${index}`,
        image: "i",
        ...(limit ? { resources: { limits: { "ephemeral-storage": limit } } } : {}),
      })),
    },
  };
}

describe("storageProblem", () => {
  const podTotal = (bytes: number): string =>
    `Pod ephemeral local storage usage exceeds the total limit of containers ${bytes}. `;
  //  volume limit, containers' limits      volume, containers (Mi), message, kubelet's files (Mi)
  const rows: readonly [V1Pod, number, readonly number[], string | undefined, number?][] = [
    [pod("2Mi", ""), 1, [9], undefined],
    [pod("2Mi", ""), 3, [0], 'Usage of EmptyDir volume "v" exceeds the limit "2Mi". '],
    [pod("", "2Mi", ""), 9, [1, 9], undefined],
    [
      pod("", "2Mi", ""),
      0,
      [3, 0],
      'Container c0 exceeded its local ephemeral storage limit "2Mi". ',
    ],
    [pod("", "2Mi", "2Mi"), 2, [1.5, 1.5], podTotal(4 * MI)],
    [pod("", "2Mi"), 0, [1], undefined, 1],
    [pod("", "2Mi"), 0, [1], podTotal(2 * MI), 1.5],
  ];
  for (const [given, volume, containers, expected, files = 0] of rows)
    it(`volume ${volume} Mi, containers ${containers.join()} Mi, files ${files} Mi: ${expected ?? "stays"}`, () => {
      const use = {
        files: files * MI,
        volumes: new Map([["v", volume * MI]]),
        containers: new Map(containers.map((used, index) => [`c${index}`, used * MI])),
      };
      assert.equal(storageProblem(given, use), expected);
    });

  it("is asked for Pods with limits alone", () => {
    assert.deepEqual([pod("1Mi", ""), pod("", "1Mi"), pod("", "")].map(hasStorageLimits), [
      true,
      true,
      false,
    ]);
  });
});
