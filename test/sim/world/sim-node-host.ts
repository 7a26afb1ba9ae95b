import type { NodeFiles, NodeHost, Volumes } from "../../../src/kubelet/executor/node-host.ts";
import type { AllocationRecord, AllocationStore } from "../../../src/kubelet/pod-size.ts";
import type { Machine } from "../../../src/kubelet/executor/machine.ts";
import { foldersOf, volumePath } from "../../../src/kubelet/volumes/volume-paths.ts";
import { hasPayload, payloadOf } from "../../../src/kubelet/volumes/payload.ts";
import { PROPAGATION_PRIVATE } from "../../../src/wire/cri/cri-client.ts";

const GIBIBYTE = 1024 ** 3;
const PLENTY = { capacity: 100 * GIBIBYTE, available: 90 * GIBIBYTE };

/** A machine without a disk: files are written nowhere, and volumes are names. It survives its kubelet. */
export class SimNodeHost implements NodeHost {
  readonly files: NodeFiles = {
    makeLogFolder: () => {},
    makeMessageFile: () => {},
    writeHostsFile: () => {},
    readNodeFile: async () => "",
    linkLog: () => {},
    unlinkLog: async () => {},
    removeFolder: async () => {},
    limitCgroup: () => {},
    removeCgroup: async () => {},
  };
  readonly volumes: Volumes;
  readonly lastWords = async (): Promise<string> => "";
  readonly allocations: AllocationStore;
  readonly #machine: Machine;

  constructor(name: string, cpus: number, memoryBytes: number) {
    this.volumes = new SimVolumes();
    const records = new Map<string, AllocationRecord>();
    this.allocations = {
      load: (uid) => records.get(uid),
      save: (uid, record) => void records.set(uid, record),
    };
    this.#machine = {
      cpus,
      memoryBytes,
      diskBytes: PLENTY.capacity,
      machineId: name,
      bootId: name,
      systemUuid: name,
      kernel: "6.1.0",
      osImage: "simulated",
      architecture: "amd64",
    };
  }

  async machine(): Promise<Machine> {
    return this.#machine;
  }

  supply: NodeHost["supply"] = async () => ({ memory: PLENTY, disk: PLENTY, inodes: PLENTY });

  /** Probes are commands: the runtime's script answers. */
  ask: NodeHost["ask"] = async (cri, _ip, { id }, probe) => {
    const command = probe.exec?.command ?? [];
    try {
      const { exitCode } = await cri.execSync(id, command, probe.timeoutSeconds ?? 1);
      return { isSuccess: exitCode === 0, output: `exit ${exitCode}` };
    } catch (error) {
      return { isSuccess: false, output: (error as Error).message };
    }
  };

  housekeeping: NodeHost["housekeeping"] = () => ({
    rotator: { rotate: async () => {} },
    meter: { storage: async () => [], uses: async () => [] },
  });
}

class SimVolumes implements Volumes {
  readonly #known = new Set<string>();

  async start(): Promise<void> {}

  folders: Volumes["folders"] = (pod) => foldersOf("/node", pod.metadata?.uid ?? "");

  /** Fails where a real one would: an object that a volume needs is not there. */
  prepare: Volumes["prepare"] = async (pod, source) => {
    this.#known.add(pod.metadata?.uid ?? "");
    for (const volume of pod.spec?.volumes ?? []) if (hasPayload(volume)) payloadOf(volume, source);
  };

  mountsOf: Volumes["mountsOf"] = async (pod, container) =>
    (container.volumeMounts ?? []).map((mount) => ({
      containerPath: mount.mountPath,
      hostPath: volumePath(
        this.folders(pod),
        pod.spec!.volumes!.find(({ name }) => name === mount.name)!,
      ),
      readonly: mount.readOnly ?? false,
      propagation: PROPAGATION_PRIVATE,
    }));

  mounted: Volumes["mounted"] = () => new Map();

  async tearDown(uid: string): Promise<void> {
    this.#known.delete(uid);
  }

  async removeOwn(): Promise<void> {}

  async attached(): Promise<readonly string[]> {
    return [];
  }

  async known(): Promise<readonly string[]> {
    return [...this.#known];
  }
}
