import type { ServiceConfig } from './project.ts';

/** Whether the services of an environment run in the cloud, and not on this machine. */
export const isAway = ({ services }: { services: readonly Pick<ServiceConfig, 'cloud'>[] }): boolean =>
  services.some(({ cloud }) => cloud !== undefined);
