import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Notice, NoticeRing } from '../../src/api/changes/ring.ts';

const status = (environment: string): Notice => ({
  event: { type: 'status', project: 'p', environment },
  permission: null,
  scope: null,
});

describe('what is remembered of changes', () => {
  test('is of each thing only the newest, in order, and nothing twice', () => {
    const ring = new NoticeRing(10);
    for (const environment of ['a', 'b', 'a', 'c', 'b']) ring.add(status(environment));
    expect(ring.since(0)?.map(({ seq }) => seq)).toEqual([3, 4, 5]);
    expect(ring.since(3)?.map(({ seq }) => seq)).toEqual([4, 5]);
    expect(ring.since(5)).toEqual([]);
  });

  test('ends somewhere, and who was away for longer is told so', () => {
    const ring = new NoticeRing(4);
    for (let i = 0; i < 20; i++) ring.add(status(`e${i}`));
    expect(ring.since(16)?.map(({ seq }) => seq)).toEqual([17, 18, 19, 20]);
    expect(ring.since(15)).toBeNull();
    // A number that was never given is of another ring.
    expect(ring.since(21)).toBeNull();
    expect(ring.since(-1)).toBeNull();
  });

  test('leaves nobody in the dark who resumes after whatever was read last', () => {
    const steps = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.constant(null)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.nat(5), (history, read) => {
        const ring = new NoticeRing(1000);
        const known = new Map<string, number>();
        const truth = new Map<string, number>();
        let seq = 0;
        // Null: the reader comes, reads some of what there is, and is cut off.
        for (const step of [...history, null]) {
          if (step !== null) {
            ring.add(status(step));
            truth.set(step, ring.last);
            continue;
          }
          for (const each of ring.since(seq)?.slice(0, read) ?? []) {
            seq = each.seq;
            if (each.event.type === 'status') known.set(each.event.environment, each.seq);
          }
        }
        for (const each of ring.since(seq) ?? [])
          if (each.event.type === 'status') known.set(each.event.environment, each.seq);
        expect(known).toEqual(truth);
      }),
    );
  });
});
