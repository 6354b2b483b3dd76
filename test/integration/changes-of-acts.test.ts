import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { waitFor } from '../support/wait.ts';
import { openWebWorld, type WebWorld } from '../support/web-world.ts';

let it: WebWorld;
let people: ReturnType<typeof peopleOf>;

beforeEach(async () => {
  it = await openWebWorld();
  people = peopleOf(it);
});
afterEach(() => it.close());

/** What somebody is told, as text, from when the line stands. */
async function told(who: Somebody): Promise<() => string> {
  const gone = new AbortController();
  onTestFinished(() => gone.abort());
  const { body } = await fetch(`http://127.0.0.1:${it.port}/api/v1/events`, {
    headers: { cookie: who.cookie ?? '' },
    signal: gone.signal,
  });
  let text = '';
  void (async () => {
    for await (const piece of body ?? []) text += Buffer.from(piece).toString();
  })().catch(() => undefined);
  await waitFor(() => text.includes('"begin"'), { what: 'the line to stand' });
  return () => text;
}

const ACT = '"type":"audit"';
const times = (text: string): number => text.split(ACT).length - 1;

test('of an act in an organization its members are told that there was one, and nobody else is', async () => {
  const other = await people.organization('Other');
  const ann = await people.somebody('ann', ['admin']);
  const ben = await people.somebody('ben', []);
  const eve = await people.somebody('eve', ['admin'], { of: other });
  const lines = { ann: await told(ann), ben: await told(ben), eve: await told(eve) };

  await ann.ask('POST', 'organizations/default/people', { login: 'new' });
  await waitFor(() => times(lines.ann()) === 1 && times(lines.ben()) === 1, { what: 'members to be told' });
  expect(lines.ben()).toContain('"project":null,"environment":null');
  expect(lines.ben()).not.toContain('new');

  await eve.ask('POST', `organizations/${other}/people`, { login: 'newer' });
  await waitFor(() => times(lines.eve()) === 1, { what: 'the other organization to be told of its own' });
  // What was refused is in the audit, too.
  expect((await ben.ask('POST', 'organizations/default/people', { login: 'newest' })).status).toBe(403);
  await waitFor(() => times(lines.ann()) === 2, { what: 'the refusal to be told' });
  expect([times(lines.ann()), times(lines.ben()), times(lines.eve())]).toEqual([2, 2, 1]);
});

test('of an act on the server those are told who run it', async () => {
  const ann = await people.somebody('ann', ['admin'], { runsServer: true });
  const ben = await people.somebody('ben', ['admin']);
  const lines = { ann: await told(ann), ben: await told(ben) };
  await people.local('POST', 'sign-in-links', { login: 'ben' });
  await waitFor(() => times(lines.ann()) === 1, { what: 'whoever runs the server to be told' });
  await ann.ask('POST', 'organizations/default/people', { login: 'new' });
  await waitFor(() => times(lines.ben()) === 1, { what: 'what is of the organization' });
  expect(times(lines.ann())).toBe(2);
});
