import type { EnvTemplate } from './project.ts';

/** The services that these environments name by `${services.NAME.url}`, each once. */
export const askedServices = (...envs: readonly EnvTemplate[]): string[] => [
  ...new Set(
    envs
      .flatMap((env) => Object.values(env).flat())
      .flatMap((part) => (typeof part === 'object' && 'serviceUrl' in part ? [part.serviceUrl] : [])),
  ),
];
