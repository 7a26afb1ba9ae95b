/** Labels by which the docker CLI finds what belongs to a stack. @spec compose-on-kubernetes api/labels */
export const STACK_LABEL = "com.docker.stack.namespace";
export const SERVICE_LABEL = "com.docker.service.name";
export const ID_LABEL = "com.docker.service.id";

/** The labels of one service of a stack; what selects its Pods. */
export function serviceLabels(stack: string, service: string): Readonly<Record<string, string>> {
  return {
    [ID_LABEL]: `${stack}-${service}`,
    [SERVICE_LABEL]: service,
    [STACK_LABEL]: stack,
  };
}

/** The Service through which a service's published ports are reached. */
export const publishedName = (service: string): string => `${service}-published`;

/** The Service of those ports for which any port outside will do. */
export const randomPortsName = (service: string): string => `${service}-random-ports`;
