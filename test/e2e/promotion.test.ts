import { describe, expect, test } from 'vitest';
import { app, folder } from '../support/bad/app.ts';
import { errorOf, sharedSystem, told } from '../support/bad/shared-system.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();

describe('what was tried in one environment', { timeout: 120_000 }, () => {
  test('is promoted to another by one command: the same files, with the configuration of the other', async () => {
    const [staging, production] = [await freePort(), await freePort()];
    const shop = await folder();
    const write = (build: string): void =>
      shop.write({
        'evenkeel.yaml': `project: shop
services:
  api: { run: node main.js, routes: [/], health: { path: /health, interval: 100ms }${build} }
environments:
  staging: { port: ${staging}, bind: 127.0.0.1, domain: localhost, services: { api: { env: { MODE: trial } } } }
  production:
    port: ${production}
    bind: 127.0.0.1
    domain: localhost
    services: { api: { env: { MODE: real } } }
    rollout: { canary: [], rollbackWindow: 5m }
`,
      });
    const answer = (version: string): string =>
      app(version, `answer = (request, response) => response.end('${version} ' + process.env.MODE);`);
    const seen = async (port: number): Promise<string> => (await fetch(`http://localhost:${port}/`)).text();
    const run = async (...args: string[]) => system.cli(args, { cwd: shop.root });
    write('');
    shop.program(answer('v1'));
    for (const environment of ['production', 'staging']) {
      const up = await run('deploy', '--env', environment);
      expect(up.code, told(up)).toBe(0);
    }
    shop.program(answer('v2'));
    await run('deploy', '--env', 'staging');
    // What lies in the folder by now is nobody's business.
    shop.program('this is no program');
    const promoted = await run('deploy', '--from', 'staging', '--env', 'production');
    expect(promoted.code, told(promoted)).toBe(0);
    expect(promoted.stdout).toContain('api@4 has all traffic in production');
    expect(await seen(production)).toBe('v2 real');
    expect(await seen(staging)).toBe('v2 trial');

    const again = await run('deploy', '--from', 'staging', '--env', 'production');
    expect(again.stdout).toContain('production serves the same files as staging already');
    expect(
      errorOf(await run('deploy', '--from', 'staging', '--version', 'v9', '--env', 'production', '--json')),
    ).toMatchObject({
      code: 'usage',
      what: '--version means nothing with --from',
    });

    // A build may have written what it has read into its files.
    write(', build: cp main.js built.js');
    shop.program(answer('v3'));
    for (const environment of ['production', 'staging']) await run('deploy', '--env', environment);
    shop.program(answer('v4'));
    await run('deploy', '--env', 'staging');
    const refused = await run('deploy', '--from', 'staging', '--env', 'production', '--json');
    expect(errorOf(refused)).toMatchObject({
      code: 'built-for-another',
      what: expect.stringContaining('api (env.MODE)'),
    });
    const accepted = await run('deploy', '--from', 'staging', '--accept-build', '--env', 'production');
    expect(accepted.code, told(accepted)).toBe(0);
    expect(await seen(production)).toBe('v4 real');
  });
});
