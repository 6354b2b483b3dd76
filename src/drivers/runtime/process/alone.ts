import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { InstanceSpec, Runtime } from '../../../ports/runtime.ts';
import { digest } from './folder.ts';

/** What is seen to run is refused here (`instance-not-alone`); what is started at this very moment meets the lock. */
export async function refuseBeside(runtime: Pick<Runtime, 'observe'>, spec: InstanceSpec): Promise<void> {
  const other = (await runtime.observe(spec)).find(
    (each) => each.service === spec.service && each.state !== 'ended' && each.id !== spec.id,
  );
  if (other === undefined) return;
  throw new EvenkeelError({
    code: 'instance-not-alone',
    what: `${spec.id} was not started: ${other.id} still runs, and ${spec.service} cannot run twice.`,
    next: 'Nothing: it starts once the other has ended.',
    retryable: true,
    exit: 2,
  });
}

/** The file whose lock the kernel holds for as long as any process of the instance lives; null where two may run. */
export function lockOf(home: string, { alone, project, environment, service }: InstanceSpec): string | null {
  if (alone !== true) return null;
  const folder = join(home, 'alone');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, digest(JSON.stringify([project, environment, service])));
}
