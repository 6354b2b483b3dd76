import type { SignInFacts } from './facts.ts';
import { ok, problem, type Finding } from './finding.ts';

const CHECK = 'sign-in';

/** Whoever can write there lets in whom they like. */
export function signInFindings(facts: SignInFacts | null): Finding[] {
  if (facts === null) return [];
  const { path, problems, providers, issuers, writable } = facts;
  if (writable)
    return [problem(CHECK, `${path} can be written by others, who could let themselves in`, `chmod go-w ${path}`)];
  if (problems.length > 0)
    return problems.map((each) =>
      problem(CHECK, each, 'mend it, then evenkeel server restart: until then nobody signs in elsewhere'),
    );
  return [
    ok(
      CHECK,
      `${path} names ${providers} OpenID Connect ${plural(providers, 'provider')} and ${issuers} ${plural(issuers, 'issuer')} of tokens`,
    ),
  ];
}

const plural = (count: number, noun: string): string => (count === 1 ? noun : `${noun}s`);
