import { stat } from 'node:fs/promises';
import { renderProblem } from '../../config/render-problems.ts';
import { loadSignIn } from '../../config/sign-in/load-sign-in.ts';
import type { SignInFacts } from '../../domain/doctor/facts.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';

/** Looks at the file alone: its secrets are in the environment of the server. */
export async function readSignIn({ signIn }: Pick<EvenkeelPaths, 'signIn'>): Promise<SignInFacts | null> {
  const stats = await stat(signIn).catch(() => null);
  if (stats === null) return null;
  const read = await loadSignIn({ file: signIn, env: null });
  return {
    path: signIn,
    problems: read.ok ? [] : read.problems.map((each) => renderProblem({ ...each, excerpt: null })),
    providers: read.ok ? read.elsewhere.oidc.length : 0,
    issuers: read.ok ? read.elsewhere.bearer.length : 0,
    writable: (stats.mode & 0o002) !== 0,
  };
}
