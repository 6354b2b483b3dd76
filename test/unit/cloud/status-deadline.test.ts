import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CloudStatus } from '../../../src/api/contract/cloud/look.ts';
import type { DeskDeps } from '../../../src/app/cloud/desk-deps.ts';
import { cloudStatus } from '../../../src/app/cloud/status.ts';
import type { Kind } from '../../../src/domain/cloud/resource.ts';
import type { Cloud, Look } from '../../../src/ports/cloud.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';
import { CONFIG } from '../../support/google.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new AbortController().signal;
const after = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const hangs = (): Promise<never> => new Promise(() => {});

/** Kinds answer after so many ms, and those that are not named at once; Infinity hangs whatever it is told. */
function statusOver(slow: Partial<Record<Kind, number>>, greet: Cloud['greet'], waitMs: number | null = null) {
  const cloud = {
    greet,
    async *look(kinds: readonly Kind[]): AsyncGenerator<Look> {
      const open = new Map(
        kinds.map((kind) => {
          const ms = slow[kind] ?? 0;
          return [kind, (ms === Infinity ? hangs() : after(ms)).then(() => kind)];
        }),
      );
      while (open.size > 0) {
        const kind = await Promise.race(open.values());
        open.delete(kind);
        yield { kind, resources: [] };
      }
    },
  } as unknown as Cloud;
  const project = { name: 'shop', environment: { name: 'staging' } };
  const deps = { cloud, project, config: CONFIG, now: () => 0 } as unknown as DeskDeps;
  return cloudStatus(deps, { waitMs }, never);
}

const stateOf = ({ resources }: CloudStatus, kind: Kind): string | undefined =>
  resources.find((each) => each.kind === kind)?.state;

const greeted: Cloud['greet'] = () => Promise.resolve({ projectNumber: '1', billing: true });

test('property 29: a status is there within three seconds when one kind and the greeting hang', async () => {
  const found = vi.fn<(status: CloudStatus) => void>();
  void statusOver({ account: Infinity, bucket: 2_000 }, hangs).then(found);
  await vi.advanceTimersByTimeAsync(3_000);
  const status = found.mock.calls[0]?.[0] as CloudStatus;
  expect(stateOf(status, 'account')).toBe('unknown');
  // Slow, and yet answered.
  expect(stateOf(status, 'bucket')).toBe('missing');
  expect(status.unknown.map(({ kind, problem }) => [kind, problem.next])).toEqual([
    ['account', 'evenkeel cloud status --wait 30s'],
  ]);
});

test('whoever wants to wait longer sees what is slower', async () => {
  const found = vi.fn<(status: CloudStatus) => void>();
  void statusOver({ account: 20_000 }, greeted, 30_000).then(found);
  await vi.advanceTimersByTimeAsync(20_001);
  expect(stateOf(found.mock.calls[0]?.[0] as CloudStatus, 'account')).toBe('missing');
});

test('who is not signed in is told so, and a passing failure of the greeting holds nothing up', async () => {
  const refused = new EvenkeelError({ code: 'cloud-credentials', what: 'not signed in' });
  const thrown = statusOver({}, () => Promise.reject(refused)).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1);
  expect(await thrown).toBe(refused);
  const busy = new EvenkeelError({ code: 'cloud-unavailable', what: 'busy', retryable: true });
  const status = statusOver({}, () => Promise.reject(busy));
  await vi.advanceTimersByTimeAsync(1);
  expect(stateOf(await status, 'account')).toBe('missing');
});
