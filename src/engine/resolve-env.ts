import type { EnvPart, EnvTemplate } from '../domain/project/project.ts';
import { secretsIn, versionsIn } from '../domain/release/secret-versions.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { Secrets, SecretScope } from '../ports/secrets.ts';

/**
 * An environment as a process gets it. Secrets are resolved now and only here; the result is handed to a process and
 * never stored or logged. Throws EvenkeelError `secret-missing` or `service-url-unknown`.
 */
export async function resolveEnv(
  env: EnvTemplate,
  scope: SecretScope,
  known: { port: number | null; serviceUrl: (service: string) => string | null },
  secrets: Pick<Secrets, 'resolve'>,
): Promise<Record<string, string>> {
  const names = secretsIn(env);
  const values = names.length === 0 ? {} : await secrets.resolve(scope, names, versionsIn(env));
  const text = (part: EnvPart): string => {
    if (typeof part === 'string') return part;
    if ('secret' in part) return values[part.secret] ?? '';
    if ('port' in part) return known.port === null ? '' : String(known.port);
    const url = known.serviceUrl(part.serviceUrl);
    if (url === null)
      throw new EvenkeelError({
        code: 'service-url-unknown',
        what: `the address of service ${part.serviceUrl} is not known`,
        why: 'it has no internal address in this environment',
        next: 'deploy it first, or together: evenkeel up',
        exit: 2,
      });
    return url;
  };
  return Object.fromEntries(Object.entries(env).map(([name, parts]) => [name, parts.map(text).join('')]));
}
