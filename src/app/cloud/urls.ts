import type { CloudUrls } from '../../api/contract/cloud/look.ts';
import { setInEnvFile } from '../../platform/env-file.ts';
import { observe } from '../../engine/cloud/observe.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { type DeskDeps, LOOK_MS, placeOf } from './desk-deps.ts';
import { urlsSeen } from './look.ts';

/** Where services answer. `check`: each is asked; `write`: they go into the environment's file. */
export async function cloudUrls(
  deps: DeskDeps,
  { check, write }: { check: boolean; write: boolean },
  signal: AbortSignal,
): Promise<CloudUrls> {
  await deps.cloud.greet(signal);
  const { observed, unknown } = await observe(deps.cloud, ['service'], { deadlineMs: LOOK_MS.list, signal });
  const [blind] = unknown;
  if (blind !== undefined)
    throw new EvenkeelError({
      code: blind.problem.code,
      what: 'services could not be looked at',
      why: blind.problem.message,
      ...(blind.problem.next === null ? {} : { next: blind.problem.next }),
      retryable: blind.problem.retryable,
    });
  const urls = urlsSeen(deps, observed);
  const services = await Promise.all(
    deps.config.services.map(async ({ service, name, urlVariable, health, public: open }) => {
      const url = urls.get(service) ?? null;
      const asked = check && url !== null ? await deps.ask(`${url}${health ?? '/'}`, { public: open, signal }) : null;
      return { service, name, variable: urlVariable, url, check: asked };
    }),
  );
  return { ...placeOf(deps), services, file: write ? await written(deps, services) : null };
}

/** Comments and order of the file stay. Throws `no-url-file`, `no-urls`. */
async function written(
  { config }: DeskDeps,
  services: readonly { variable: string; url: string | null }[],
): Promise<CloudUrls['file']> {
  if (config.urlFile === null)
    throw new EvenkeelError({
      code: 'no-url-file',
      what: 'evenkeel.yaml says that addresses are written nowhere',
      next: 'set `cloud.urlFile` to the path of a file',
    });
  const known = services.flatMap(({ variable, url }): [string, string][] => (url === null ? [] : [[variable, url]]));
  if (known.length === 0)
    throw new EvenkeelError({ code: 'no-urls', what: 'no service answers yet', next: 'evenkeel deploy' });
  return { path: config.urlFile, changed: await writeUrls(config.urlFile, Object.fromEntries(known)) };
}

/** Puts addresses into an environment file by their variables, as a deploy and `cloud urls --write` do; answers those that changed. */
export const writeUrls = (file: string, urls: Readonly<Record<string, string>>): Promise<string[]> =>
  setInEnvFile(file, urls, { heading: 'Addresses of services, written by evenkeel' });
