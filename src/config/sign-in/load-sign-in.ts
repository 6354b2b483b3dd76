import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

import { type Elsewhere, NOWHERE } from '../../domain/access/elsewhere.ts';
import { withExcerpts } from '../excerpt.ts';
import { allKeys, problemsOf } from '../issues.ts';
import { type Complaint, type Problem, problemAt, sortProblems } from '../problem.ts';
import { MAX_BYTES, readYaml } from '../read-yaml.ts';
import { descend, nearest, toPlain } from '../tree.ts';
import type { Tree } from '../tree.ts';
import { type SignInFile, signInFile } from './schema.ts';

export type SignInReading =
  | { readonly ok: true; readonly elsewhere: Elsewhere }
  | { readonly ok: false; readonly problems: Problem[] };

export interface SignInSource {
  readonly file: string;
  /** Of the server; null: it is another's, and secrets are not looked for. */
  readonly env: Readonly<Record<string, string | undefined>> | null;
}

/**
 * Reads where people and programs prove who they are. No file: nowhere. All problems come together, with their lines; a
 * secret is in none of them.
 */
export async function loadSignIn({ file, env }: SignInSource): Promise<SignInReading> {
  const text = await readText(file);
  if (text === null) return { ok: true, elsewhere: NOWHERE };
  if (typeof text !== 'string') return { ok: false, problems: [text] };
  const { tree, problems } = readYaml(text, file);
  const failed = (all: readonly Problem[]): SignInReading => ({
    ok: false,
    problems: withExcerpts(sortProblems(all), text, file, allKeys(signInFile)),
  });
  if (problems.length > 0) return failed(problems);
  // Nothing but comments: what one has who has not begun yet.
  if (tree === null || (tree.kind === 'scalar' && tree.value === null)) return { ok: true, elsewhere: NOWHERE };
  const parsed = signInFile.safeParse(toPlain(tree));
  if (!parsed.success) return failed(problemsOf(parsed.error.issues, tree, signInFile, []));
  const texts = await Promise.all(named(parsed.data, env).map(async ({ at, read }) => ({ at, text: await read() })));
  const unread = texts.flatMap(({ at, text }) => (typeof text === 'string' ? [] : [problemOf(tree, at, text)]));
  if (unread.length > 0) return failed(unread);
  const found = new Map(texts.map(({ at, text }) => [at.join('.'), typeof text === 'string' ? text : null]));
  return { ok: true, elsewhere: elsewhereOf(parsed.data, (...at) => found.get(at.join('.')) ?? null) };
}

type Named = { readonly at: readonly string[]; read(): Promise<string | Complaint> };

/** What the file only names, and where in it. */
function named({ oidc, bearer }: SignInFile, env: SignInSource['env']): Named[] {
  const certificates = Object.entries({ oidc, bearer }).flatMap(([kind, all]) =>
    Object.entries<{ ca?: string | undefined }>(all).flatMap(([id, { ca }]): Named[] =>
      ca === undefined ? [] : [{ at: [kind, id, 'ca'], read: () => readCertificates(ca) }],
    ),
  );
  if (env === null) return certificates;
  const secrets = Object.entries(oidc).flatMap(([id, { clientSecret }]): Named[] =>
    clientSecret === undefined ? [] : [{ at: ['oidc', id, 'clientSecret'], read: () => readSecret(clientSecret, env) }],
  );
  return [...secrets, ...certificates];
}

function elsewhereOf(
  { publicUrl, trustedProxies, oidc, bearer }: SignInFile,
  textAt: (...at: string[]) => string | null,
): Elsewhere {
  return {
    publicUrl: publicUrl === undefined ? null : new URL(publicUrl).origin,
    trustedProxies,
    oidc: Object.entries(oidc).map(([id, { name, ...provider }]) => ({
      ...provider,
      id,
      name: name ?? id,
      clientSecret: textAt('oidc', id, 'clientSecret'),
      ca: textAt('oidc', id, 'ca'),
    })),
    bearer: Object.entries(bearer).map(([id, { keys, ...issuer }]) => ({
      ...issuer,
      id,
      keys: keys ?? null,
      ca: textAt('bearer', id, 'ca'),
    })),
  };
}

/** Null when there is none. */
async function readText(file: string): Promise<string | Problem | null> {
  const said = (complaint: Complaint): Problem => problemAt({ file, line: 0, column: 0 }, [], complaint);
  try {
    if ((await stat(file)).size > MAX_BYTES)
      return said({ code: 'too-large', message: `the file is larger than ${MAX_BYTES / 1024} KiB` });
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof TypeError) return said({ code: 'unreadable', message: 'the file is not UTF-8 text' });
    const code = codeOf(error);
    return code === 'ENOENT'
      ? null
      : said({ code: 'unreadable', message: `cannot be read (${code})`, hint: `see ls -l ${file}` });
  }
}

type SecretAt = NonNullable<SignInFile['oidc'][string]['clientSecret']>;

async function readSecret(at: SecretAt, env: NonNullable<SignInSource['env']>): Promise<string | Complaint> {
  if ('env' in at) {
    const value = env[at.env] ?? '';
    const hint = 'set it where the server is started (systemd: EnvironmentFile=), and start the server again';
    return value === '' ? { code: 'unset-variable', message: `the variable ${at.env} is not set`, hint } : value;
  }
  return readOther(at.file);
}

async function readOther(file: string): Promise<string | Complaint> {
  try {
    const value = (await readFile(file, 'utf8')).trim();
    return value === '' ? { code: 'unreadable', message: `${file} is empty` } : value;
  } catch (error) {
    return { code: 'unreadable', message: `${file} cannot be read (${codeOf(error)})` };
  }
}

async function readCertificates(file: string): Promise<string | Complaint> {
  const text = await readOther(file);
  if (typeof text !== 'string') return text;
  try {
    return new X509Certificate(text).raw.length > 0 ? text : noCertificate(file);
  } catch {
    return noCertificate(file);
  }
}

const noCertificate = (file: string): Complaint => ({
  code: 'certificate',
  message: `${file} holds no certificate`,
  expected: 'certificates in PEM form',
});

function problemOf(tree: Tree, path: readonly string[], complaint: Complaint): Problem {
  return problemAt((descend(tree, path) ?? nearest(tree, path)).place, path, complaint);
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown');
