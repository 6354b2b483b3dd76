import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderProblems } from '../../../src/config/render-problems.ts';
import { loadSignIn } from '../../../src/config/sign-in/load-sign-in.ts';
import { NOWHERE } from '../../../src/domain/access/elsewhere.ts';
import { tempDir } from '../../support/temp.ts';

function write(text: string): string {
  const file = join(tempDir('sign-in-file'), 'sign-in.yaml');
  writeFileSync(file, text);
  return file;
}

const load = (text: string, env: Record<string, string> = {}) => loadSignIn({ file: write(text), env });

async function complaints(text: string, env: Record<string, string> = {}): Promise<string> {
  const read = await load(text, env);
  return read.ok ? '' : renderProblems(read.problems).replaceAll(/\/\S*\/sign-in\.yaml/g, 'sign-in.yaml');
}

describe('what is read', () => {
  test('no file, and one of comments alone, name nowhere', async () => {
    const none = await loadSignIn({ file: join(tempDir('sign-in-file'), 'sign-in.yaml'), env: {} });
    expect(none).toEqual({ ok: true, elsewhere: NOWHERE });
    expect(await load('# nothing yet\n')).toEqual({ ok: true, elsewhere: NOWHERE });
  });

  test('proxies whose word counts, one or several, and never everybody', async () => {
    const proxies = async (said: string): Promise<unknown> => {
      const read = await load(`trustedProxies: ${said}\n`);
      return read.ok ? read.elsewhere.trustedProxies : 'refused';
    };
    expect(await proxies('127.0.0.1')).toEqual(['127.0.0.1']);
    expect(await proxies('[10.0.0.0/8, "2001:db8::/32"]')).toEqual(['10.0.0.0/8', '2001:db8::/32']);
    for (const wrong of ['0.0.0.0/0', '"::/0"', 'proxy.example', '10.0.0.0/64', '{ a: b }'])
      expect(await proxies(wrong)).toBe('refused');
  });

  test('providers and issuers, with what is not said filled in, and secrets from where they are', async () => {
    const secret = join(tempDir('secret'), 'oidc');
    writeFileSync(secret, 'from a file\n');
    const text = `
publicUrl: https://evenkeel.example.com/
oidc:
  company:
    name: Example Ltd
    issuer: https://id.example.com/realms/main
    clientId: evenkeel
    clientSecret: { env: OIDC_SECRET }
    login: preferred_username
    admits: invited
    roles:
      - { claim: realm_access.roles, value: ops, role: operator, environment: staging }
  google:
    issuer: https://accounts.google.com
    clientId: abc
    clientSecret: { file: ${secret} }
    admits: { emails: ["@Example.com"] }
bearer:
  firebase:
    issuer: https://securetoken.google.com/shop
    audience: shop
    roles: [{ role: viewer }]
`;
    expect(await load(text, { OIDC_SECRET: 'hush' })).toEqual({
      ok: true,
      elsewhere: {
        publicUrl: 'https://evenkeel.example.com',
        trustedProxies: [],
        oidc: [
          {
            id: 'company',
            name: 'Example Ltd',
            issuer: 'https://id.example.com/realms/main',
            clientId: 'evenkeel',
            clientSecret: 'hush',
            ca: null,
            login: 'preferred_username',
            trustsEmails: false,
            scopes: ['profile', 'email'],
            admits: 'invited',
            roles: [
              {
                when: { claim: 'realm_access.roles', value: 'ops' },
                role: 'operator',
                organization: 'default',
                project: '*',
                environment: 'staging',
              },
            ],
          },
          {
            id: 'google',
            name: 'google',
            issuer: 'https://accounts.google.com',
            clientId: 'abc',
            clientSecret: 'from a file',
            ca: null,
            login: 'email',
            trustsEmails: false,
            scopes: ['profile', 'email'],
            admits: { emails: ['@example.com'] },
            roles: [],
          },
        ],
        bearer: [
          {
            id: 'firebase',
            issuer: 'https://securetoken.google.com/shop',
            audience: ['shop'],
            keys: null,
            ca: null,
            login: 'email',
            trustsEmails: false,
            roles: [{ when: null, role: 'viewer', organization: 'default', project: '*', environment: '*' }],
          },
        ],
      },
    });
  });
});

describe('what is wrong is said with its line', () => {
  test('a misspelt key, a plain http issuer, a secret in the file, and what is missing, all at once', async () => {
    const said = await complaints(`oidc:
  company:
    isuer: https://id.example.com
    clientId: evenkeel
  other:
    issuer: http://id.example.com
    clientId: evenkeel
    clientSecret: hunter2-and-more
    roles: [{ role: viewer, claim: groups }]
bearer:
  api: { issuer: https://a.example.com, audience: [] }
`);
    expect(said).toContain('sign-in.yaml:3:5  oidc.company.isuer  unknown key; did you mean "issuer"?');
    expect(said).toContain('sign-in.yaml:6:13  oidc.other.issuer  expected the https address of an issuer');
    expect(said).toContain('sign-in.yaml:8:19  oidc.other.clientSecret  expected { env: NAME } or { file: /PATH }');
    expect(said).toContain('`claim` and `value` together');
    expect(said).toContain('bearer.api.audience');
    expect(said).not.toContain('hunter2');
  });

  test('an issuer that is named twice, and providers without an address to come back to', async () => {
    const one = '{ issuer: https://id.example.com, clientId: evenkeel }';
    expect(await complaints(`oidc: { a: ${one}, b: ${one} }\n`)).toContain('an issuer that is named once');
    expect(await complaints(`oidc: { a: ${one} }\n`)).toContain('`publicUrl` is missing');
    expect(await complaints(`publicUrl: https://evenkeel.example.com/dashboard\n`)).toContain('without a path');
    expect(await complaints(`publicUrl: https://user:pass@evenkeel.example.com\n`)).not.toContain('pass@');
  });

  test('a secret that is not where the file says', async () => {
    const provider = (secret: string) =>
      `publicUrl: https://e.example.com\noidc:\n  a:\n    issuer: https://id.example.com\n    clientId: e\n    clientSecret: ${secret}\n`;
    expect(await complaints(provider('{ env: NOT_SET }'))).toContain('sign-in.yaml:6:');
    expect(await complaints(provider('{ env: NOT_SET }'))).toContain('the variable NOT_SET is not set');
    expect(await complaints(provider('{ file: /nowhere/at/all }'))).toContain(
      '/nowhere/at/all cannot be read (ENOENT)',
    );
  });

  test('certificates that are not where the file says, or are none', async () => {
    const issuer = (ca: string) =>
      `bearer:\n  a:\n    issuer: https://id.example.com\n    audience: e\n    ca: ${ca}\n`;
    expect(await complaints(issuer('/nowhere/at/all'))).toContain(
      'sign-in.yaml:5:9  bearer.a.ca  /nowhere/at/all cannot',
    );
    expect(await complaints(issuer(write('nothing')))).toContain('holds no certificate');
  });

  test('text that is no YAML', async () => {
    expect(await complaints('oidc: [\n')).toContain('sign-in.yaml:');
  });
});
