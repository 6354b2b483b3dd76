import { certificateConcerns, covers, daysLeft, inDays } from '../traffic/tls.ts';
import { ok, problem, warning, type Finding } from './finding.ts';
import type { GivenCertificate, IssuedCertificate, TlsFacts } from './facts.ts';

const CHECK = 'certificates';

/** What becomes of clients that ask over TLS. Null: nothing is served over it. */
export function certificateFindings(tls: TlsFacts | null, whose: string, now: number): Finding[] {
  if (tls === null) return [];
  const found = [
    ...tls.given.flatMap((each) => givenFindings(each, now)),
    ...uncovered(tls),
    ...tls.issued.map((each) => issuedFinding(each, whose, now)),
  ];
  if (tls.issuerFile !== null)
    found.push(
      problem(
        CHECK,
        `${tls.issuerFile.path}, by which the issuer is trusted, cannot be read (${tls.issuerFile.code})`,
        'correct `tls.acme.ca` in evenkeel.yaml, or let the user that evenkeel runs as read it',
      ),
    );
  return found;
}

function givenFindings(given: GivenCertificate, now: number): Finding[] {
  const { cert, key, notAfter, names, chain, exposed } = given;
  const found: Finding[] = [];
  const [concern] = certificateConcerns([given], [], now);
  if (concern !== undefined) {
    const [what = concern, ...next] = concern.split('; ');
    const dead = given.error !== null || notAfter === null || notAfter <= now || (given.notBefore ?? now) > now;
    found.push(
      (dead ? problem : warning)(CHECK, what, next.join('; ') || 'renew it: the edge takes the new file by itself'),
    );
  } else if (notAfter !== null)
    found.push(ok(CHECK, `the certificate for ${names.join(', ')} lasts ${inDays(daysLeft(notAfter, now))}`));
  if (chain === 'alone')
    found.push(
      warning(
        CHECK,
        `${cert} holds the certificate alone, without what it was signed by: some clients refuse it`,
        'put the certificate of its issuer behind it in the file (issuers call that the full chain)',
      ),
    );
  if (chain === 'broken')
    found.push(
      problem(
        CHECK,
        `in ${cert} the first certificate was not signed by the second`,
        'put them in order: the one for the host, then what it was signed by, and so on',
      ),
    );
  if (exposed) found.push(warning(CHECK, `other users may read ${key}`, `chmod 600 ${key}`));
  return found;
}

/** Hosts that no given certificate is for; without any that could be read there is nothing to compare them with. */
function uncovered({ given, hosts, issued }: TlsFacts): Finding[] {
  const names = given.flatMap((each) => each.names);
  const own = new Set(issued.map(({ host }) => host));
  const bare = names.length === 0 ? [] : hosts.filter((host) => !own.has(host) && !covers(names, host));
  return bare.map((host) =>
    problem(
      CHECK,
      `no certificate is for ${host}, and clients refuse it`,
      'add one that names it: `tls.others` in evenkeel.yaml',
    ),
  );
}

function issuedFinding({ host, installed, lastFailure }: IssuedCertificate, whose: string, now: number): Finding {
  const works = installed !== null && installed.notAfter > now;
  const next = lastFailure?.next ?? `evenkeel status${whose} says how it goes`;
  if (!works) {
    const what =
      installed === null ? `there is no certificate for ${host} yet` : `the certificate for ${host} has expired`;
    if (lastFailure !== null) return problem(CHECK, `${what}: ${lastFailure.why}`, next);
    return warning(CHECK, what, `evenkeel up${whose}: it is got by itself while the server runs`);
  }
  const left = inDays(daysLeft(installed.notAfter, now));
  if (lastFailure === null) return ok(CHECK, `the certificate for ${host} lasts ${left} and is renewed by itself`);
  return warning(CHECK, `the certificate for ${host} lasts ${left} and could not be renewed: ${lastFailure.why}`, next);
}
