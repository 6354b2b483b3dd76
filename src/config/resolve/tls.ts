import { resolve } from 'node:path';

import { DIRECTORIES, hostRefusal, hostsOf } from '../../domain/certificate/acme.ts';
import type { AcmeConfig } from '../../domain/certificate/acme.ts';
import type { EnvironmentConfig, ServiceConfig, TlsConfig } from '../../domain/project/project.ts';
import { DEFAULT_TLS_PORT } from '../defaults.ts';
import { problemAt } from '../problem.ts';
import type { Complaint, Problem } from '../problem.ts';
import type { environment as environmentSchema } from '../schema/environment.ts';
import { descend, keyPlace } from '../tree.ts';
import type { Tree } from '../tree.ts';

type Written = Partial<
  Extract<NonNullable<ReturnType<(typeof environmentSchema)['parse']>['tls']>, { port?: unknown }>
>;
type WrittenAcme = { [Key in keyof AcmeConfig]?: NonNullable<AcmeConfig[Key]> | undefined };

export function resolveTls(written: Written | undefined, root: string): TlsConfig | undefined {
  if (written === undefined) return undefined;
  const { acme, cert, key, others = [], port = DEFAULT_TLS_PORT, redirect = true, hsts = false } = written;
  const first = cert === undefined || key === undefined ? [] : [{ cert, key }];
  if (acme === undefined && first.length === 0) return undefined;
  return {
    port,
    certificates: [...first, ...others].map((pair) => ({
      cert: resolve(root, pair.cert),
      key: resolve(root, pair.key),
    })),
    redirect,
    hsts: hsts === 'preload' ? 'preload' : hsts ? 'on' : 'off',
    ...(acme === undefined ? {} : { acme: resolveAcme(acme, root) }),
  };
}

function resolveAcme({ directory, email, ca, challenge }: WrittenAcme, root: string): AcmeConfig {
  return {
    directory: directory ?? DIRECTORIES.letsencrypt,
    email: email ?? null,
    ca: ca === undefined ? null : resolve(root, ca),
    challenge: challenge ?? null,
  };
}

/** What of `tls` is right by itself and wrong together. */
export function tlsContradictions(
  tree: Tree,
  environment: EnvironmentConfig,
  services: readonly ServiceConfig[],
): Problem[] {
  const at = ['environments', environment.name, 'tls'];
  const has = (key: string): boolean => descend(tree, [...at, key]) !== undefined;
  const written = descend(tree, at);
  if (written === undefined) return [];
  const problems: Problem[] = [];
  const report = (keys: readonly string[], complaint: Omit<Complaint, 'code'> & { code?: Complaint['code'] }): void => {
    const path = [...at, ...keys];
    const place = descend(tree, path) === undefined ? at : path;
    const named = complaint.code === 'missing-key' ? path : place;
    problems.push(problemAt(keyPlace(tree, place), named, { code: 'contradiction', ...complaint }));
  };
  if (environment.tls?.port === environment.port)
    report(['port'], {
      message: `port ${environment.port} is the plain \`port\` of ${environment.name} already`,
      hint: 'give `tls` another `port`, such as 443 or 8443',
    });
  const given = ['cert', 'key', 'others'].filter(has);
  const acme = environment.tls?.acme;
  if (acme === undefined && written.kind === 'map' && !has('acme')) {
    for (const key of ['cert', 'key'])
      if (!has(key)) {
        const expected = '`cert: FILE` and `key: FILE`, or `acme: true`';
        report([key], { code: 'missing-key', message: `\`tls\` has no \`${key}\``, expected });
      }
  }
  if (acme === undefined) return problems;
  for (const key of given)
    report([key], {
      message: `\`${key}\` is for certificates that are given, and \`acme\` gets them`,
      hint: `take out \`${key}\` or \`acme\``,
    });
  reportHosts(acme, services, report);
  return problems;
}

function reportHosts(
  { directory }: AcmeConfig,
  services: readonly ServiceConfig[],
  report: (keys: readonly string[], complaint: Omit<Complaint, 'code'>) => void,
): void {
  const hosts = hostsOf(services);
  if (hosts.length === 0)
    report(['acme'], {
      message: 'there is no host for which a certificate could be got',
      hint: 'give the environment a `domain`, or routes a host, such as `chat.example.com/`',
    });
  for (const host of hosts) {
    const why = hostRefusal(host, directory);
    if (why !== null) report(['acme'], { message: `no certificate can be got for \`${host}\`: ${why}` });
  }
}
