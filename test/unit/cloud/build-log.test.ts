import { expect, it } from 'vitest';
import { BuildLog } from '../../../src/drivers/cloud/google/build/log.ts';
import type { Google } from '../../../src/drivers/cloud/google/google.ts';

it('a letter that is cut where one look ends and the next begins is whole', async () => {
  const all = Buffer.from('größer ✓\nund Ende ✓');
  let there = 0;
  const send = async (_method: string, _url: string, { headers }: { headers: { range: string } }) => {
    const from = Number(/\d+/.exec(headers.range)?.[0]);
    there += 1;
    return new Response(all.subarray(from, there), { status: 206 });
  };
  const lines: string[] = [];
  const log = new BuildLog({ http: { send } } as unknown as Google, { bucket: 'b', object: 'o' }, (line) => {
    lines.push(line);
  });
  const { signal } = new AbortController();
  while (there < all.length - 1) await log.read(signal);
  await log.finish(signal);
  expect(lines).toEqual(['größer ✓', 'und Ende ✓']);
});
