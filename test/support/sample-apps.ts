/** A Deployment of nginx whose Pods are ready when they answer, and drain before they go: what a careful user writes. */
export function nginxDeployment(
  name: string,
  options: {
    readonly replicas?: number;
    readonly image?: string;
    readonly strategy?: object;
    readonly podSpec?: object;
    readonly container?: object;
    readonly spec?: object;
  } = {},
): object {
  const { replicas = 1, image = "nginx:1.14" } = options;
  const container = {
    name: "nginx",
    image,
    ports: [{ containerPort: 80 }],
    readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
    lifecycle: { preStop: { exec: { command: ["/bin/sh", "-c", "sleep 1"] } } },
    ...options.container,
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      ...(options.strategy ? { strategy: options.strategy } : {}),
      ...options.spec,
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [container], ...options.podSpec },
      },
    },
  };
}

/** A Service before the Pods labelled `app: <app>`. */
export function serviceOf(app: string, spec: object = {}, name: string = app): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app }, ports: [{ port: 80 }], ...spec },
  };
}

/** A Pod of busybox that runs a shell script. */
export function shellPod(
  name: string,
  script: string,
  options: { readonly spec?: object; readonly container?: object; readonly labels?: object } = {},
): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name, ...options.labels } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "main",
          image: "busybox:1.29",
          command: ["/bin/sh", "-c", script],
          ...options.container,
        },
      ],
      ...options.spec,
    },
  };
}

/** Script of a Pod that only waits, and leaves at once when asked to. */
export const WAITING = "trap exit TERM; while :; do sleep 1 & wait; done";
