import { ANNOTATION_MESSAGE_POLICY } from "../runtime/labels.ts";
import { foldersOf } from "../volumes/volume-paths.ts";
import { messageFile, readLogTail, readMessage } from "./pod-files.ts";
import type { LastWords } from "./runtime-reader.ts";

/**
 * The termination message of a container, out of its file or, where its policy says so, out of its log.
 *
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_container.go getTerminationMessage
 */
export function lastWordsIn(stateRoot: string): LastWords {
  return async (uid, { name, restartCount, exitCode }, { annotations, logPath }) => {
    const { pod } = foldersOf(stateRoot, uid);
    const message = await readMessage(messageFile(pod, name, restartCount));
    const policy = annotations[ANNOTATION_MESSAGE_POLICY];
    if (message || policy !== "FallbackToLogsOnError" || exitCode === 0) return message;
    return readLogTail(logPath);
  };
}
