import { homedir, userInfo } from 'node:os';

/** Taken over from evenkeel's own environment; everything else stays there, its secrets among it. */
const INHERITED = ['PATH', 'LANG', 'LC_ALL', 'TZ'];

/** Builds fetch packages, and may have to go through what this machine prescribes. */
const NETWORK = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
const CERTIFICATES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** What every instance finds in its environment beside its own variables. `tmp` is a folder of its own. */
export function instanceBase(tmp: string, guest: Known | null): Record<string, string> {
  return { ...user(guest, tmp), ...pick(INHERITED), TMPDIR: tmp };
}

/** What every job finds in its environment beside its own variables. */
export function jobBase(tmp: string, guest: Known | null): Record<string, string> {
  return { ...user(guest, tmp), ...pick([...INHERITED, ...NETWORK, ...CERTIFICATES]), TMPDIR: tmp };
}

/** Somebody else than evenkeel's own user, as far as an environment tells. */
interface Known {
  name: string;
  home: string | null;
}

function user(guest: Known | null, tmp: string): Record<string, string> {
  const { name, home } = guest === null ? { name: userInfo().username, home: homedir() } : guest;
  return { HOME: home ?? tmp, USER: name, LOGNAME: name };
}

function pick(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
