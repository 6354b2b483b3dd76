import type { ServiceConfig } from '../domain/project/project.ts';
import type { RunAs } from '../ports/runtime.ts';

/** As whom the commands of a service run; undefined: as evenkeel itself. */
export const runAs = ({ name, user }: ServiceConfig): RunAs | undefined =>
  user === undefined ? undefined : { user, service: name };

/** The addresses of services that an environment names, and the ports of those that were asked for. */
export function noting(serviceUrl: (service: string) => string | null): {
  serviceUrl: (service: string) => string | null;
  calls: () => number[];
} {
  const ports = new Set<number>();
  return {
    serviceUrl(service) {
      const url = serviceUrl(service);
      const port = url === null ? 0 : Number(new URL(url).port);
      if (port > 0) ports.add(port);
      return url;
    },
    calls: () => [...ports],
  };
}
