import { expect, test } from 'vitest';
import { cloudCli, FILE, type Said } from '../../support/cloud/cli.ts';
import { fakeCloud } from '../../support/cloud/fake-cloud.ts';
import { tempDir } from '../../support/temp.ts';

/** Commands that something said should be typed. */
const named = ({ stdout, stderr }: Said): string[] =>
  [...`${stdout}\n${stderr}`.matchAll(/evenkeel (?:cloud (?!emulator)|deploy).*/g)].map(([text]) => text);

test('whatever is said after --emulate is to be typed with it, and with the environment', async () => {
  const cloud = fakeCloud();
  const cli = cloudCli(cloud, tempDir('chat'), FILE.replace('cloud: {', 'cloud: { budget: 10 EUR,'));
  const run = (...args: string[]): Promise<Said> => cli(['cloud', '--emulate', ...args, '--env', 'staging']);
  cloud.broken.add('bucket/chat-staging-media');
  const failing = await run('setup', '--yes');
  cloud.broken.clear();
  cloud.there.set('bucket/chat-staging-gone', { ...bucketOfBefore(cloud) });
  const all = [
    failing,
    await run('setup', '--only', 'buckets', '--yes'),
    await run('setup', '--yes'),
    await run('status'),
    await run('plan', '--all'),
    await run('urls'),
    await run('urls', '--write'),
    await run('cost'),
    await run('stop'),
    await run('delete', 'nothing-such'),
    await run('secret', 'A=b'),
    await run('secret', 'JWT_SECRET'),
    await run('cleanup', '--json'),
  ];
  const commands = all.flatMap(named);
  expect(commands.length).toBeGreaterThan(8);
  for (const command of commands) expect(command).toMatch(/^evenkeel cloud --emulate [a-z]+.* --env staging/);
});

function bucketOfBefore({ there }: ReturnType<typeof fakeCloud>) {
  const bucket = there.get('bucket/chat-staging-avatars');
  if (bucket === undefined) throw new Error('no bucket was made');
  return { ...bucket, name: 'chat-staging-gone' };
}
