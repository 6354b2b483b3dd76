import { homedir, userInfo } from 'node:os';

/** Taken over from evenkeel's own environment; everything else stays there, its secrets among it. */
const INHERITED = ['PATH', 'LANG', 'LC_ALL', 'TZ'];

/** Builds fetch packages, and may have to go through what this machine prescribes. */
const NETWORK = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
const CERTIFICATES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** What every instance finds in its environment beside its own variables. `tmp` is a folder of its own. */
export function instanceBase(tmp: string): Record<string, string> {
  return { ...user(), ...pick(INHERITED), TMPDIR: tmp };
}

/** What every job finds in its environment beside its own variables. */
export function jobBase(tmp: string): Record<string, string> {
  return { ...user(), ...pick([...INHERITED, ...NETWORK, ...CERTIFICATES]), TMPDIR: tmp };
}

function user(): Record<string, string> {
  const { username } = userInfo();
  return { HOME: homedir(), USER: username, LOGNAME: username };
}

function pick(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
