import { resolve } from 'node:path';

import type { EnvironmentConfig, TlsConfig } from '../../domain/project/project.ts';
import { DEFAULT_TLS_PORT } from '../defaults.ts';
import { problemAt } from '../problem.ts';
import type { Problem } from '../problem.ts';
import type { environment as environmentSchema } from '../schema/environment.ts';
import { descend, keyPlace } from '../tree.ts';
import type { Tree } from '../tree.ts';

type WrittenTls = NonNullable<ReturnType<(typeof environmentSchema)['parse']>['tls']>;

export function resolveTls(written: Partial<WrittenTls> | undefined, root: string): TlsConfig | undefined {
  const { cert, key, others = [], port = DEFAULT_TLS_PORT, redirect = true, hsts = false } = written ?? {};
  if (cert === undefined || key === undefined) return undefined;
  const pairs = [{ cert, key }, ...others];
  return {
    port,
    certificates: pairs.map((pair) => ({ cert: resolve(root, pair.cert), key: resolve(root, pair.key) })),
    redirect,
    hsts: hsts === 'preload' ? 'preload' : hsts ? 'on' : 'off',
  };
}

/** One port cannot be both. */
export function tlsContradictions(tree: Tree, environment: EnvironmentConfig): Problem[] {
  if (environment.tls?.port !== environment.port) return [];
  const path = ['environments', environment.name, 'tls', 'port'];
  const place = descend(tree, path) === undefined ? path.slice(0, -1) : path;
  return [
    problemAt(keyPlace(tree, place), place, {
      code: 'contradiction',
      message: `port ${environment.port} is the plain \`port\` of ${environment.name} already`,
      hint: 'give `tls` another `port`, such as 443 or 8443',
    }),
  ];
}
