import type { Project } from '../../domain/project/project.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { Engine } from '../engine.ts';
import { until } from './until.ts';

/** For the loops to look and the edge to read the files and open the port. */
const PATIENCE_MS = 20_000;

/** Whether the file says something else about TLS than what was brought up before. */
export const tlsChanged = (before: EnvironmentRecord | null, project: Project): boolean =>
  JSON.stringify(before?.config.environment.tls) !== JSON.stringify(project.environment.tls);

/**
 * Waits until the edge serves TLS as the file says, or none. Throws EvenkeelError `tls-refused` with the reason of the
 * edge, or `timeout`. What has no routes has nothing to serve.
 */
export async function untilTlsServed(engine: Engine, { name, environment, services }: Project): Promise<void> {
  const { tls } = environment;
  if (services.every(({ routes }) => routes.length === 0)) return;
  const scope = `${name}/${environment.name}/`;
  const condition = async (): Promise<boolean> => {
    const edge = await engine.deps.traffic.state({ project: name, environment: environment.name }).catch(() => null);
    if (edge === null) return false;
    const mine = (edge.tls ?? []).filter((each) => each.services.some((key) => key.startsWith(scope)));
    if (tls === undefined) return mine.length === 0;
    const wanted = tls.certificates.map(({ cert }) => cert);
    const now = mine.find(
      ({ port, certificates }) =>
        port === tls.port && wanted.every((cert) => certificates.some((each) => each.cert === cert)),
    );
    if (now === undefined || now.error === null) return now !== undefined;
    throw new EvenkeelError({
      code: 'tls-refused',
      what: `${name} ${environment.name} is not served over TLS`,
      where: `environments.${environment.name}.tls in evenkeel.yaml`,
      why: now.error,
      next: 'mend it and repeat the command; what is served in plain goes on',
      exit: 2,
    });
  };
  await until(engine, condition, { what: 'the edge to serve TLS', timeoutMs: PATIENCE_MS });
}
