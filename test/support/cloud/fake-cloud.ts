import { setTimeout as sleep } from 'node:timers/promises';
import { addressOf, type Address, type Desired, type Kind, type Observed } from '../../../src/domain/cloud/resource.ts';
import type { BillLine } from '../../../src/domain/cloud/price/bill.ts';
import type { Cloud, Look, Step } from '../../../src/ports/cloud.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';

/** A cloud in memory. What it says of itself passes the same suite as the real driver. */
export interface FakeCloud extends Cloud {
  /** What is there; tests may put in what somebody else made. */
  readonly there: Map<Address, Observed>;
  readonly secretValues: Map<string, string>;
  /** Every call, in order: `create bucket/x`. */
  readonly calls: string[];
  /** Called before each changing call takes effect and after it did; what it throws is what the call throws. */
  onChange: ((call: string, nth: number, when: 'before' | 'after') => void) | null;
  /** Kinds that never answer a look. */
  readonly hanging: Set<Kind>;
  /** Resources on which every change fails. */
  readonly broken: Set<Address>;
  /** What the export holds, whichever it is. */
  bill: BillLine[];
  /** How many changes were under way at once at most. */
  mostAtOnce(): number;
}

export function fakeCloud({ delayMs = 1, now = () => 1_700_000_000_000 } = {}): FakeCloud {
  const there = new Map<Address, Observed>();
  const secretValues = new Map<string, string>();
  const calls: string[] = [];
  const hanging = new Set<Kind>();
  const broken = new Set<Address>();
  let changes = 0;
  let running = 0;
  let most = 0;

  const change = async <T>(
    verb: string,
    address: Address,
    { progress, signal }: { progress?: (step: Step) => void; signal: AbortSignal },
    act: () => T,
  ): Promise<T> => {
    signal.throwIfAborted();
    const call = `${verb} ${address}`;
    calls.push(call);
    const nth = ++changes;
    most = Math.max(most, ++running);
    try {
      cloud.onChange?.(call, nth, 'before');
      if (broken.has(address)) throw refused(address);
      progress?.({ doing: verb });
      await sleep(delayMs, undefined, { signal });
      const result = act();
      cloud.onChange?.(call, nth, 'after');
      return result;
    } finally {
      running--;
    }
  };

  /** With only the attributes replaced, as it stands beside what a provider knows besides. */
  const put = (resource: Desired): Observed => {
    const { needs: _needs, ...rest } = resource;
    const former = there.get(addressOf(resource));
    const made = {
      ...rest,
      state: former?.state ?? 'ready',
      createdAt: former?.createdAt ?? now(),
      ...(resource.kind === 'secret' ? { hasValue: secretValues.has(resource.name) } : {}),
    } as Observed;
    there.set(addressOf(resource), made);
    return made;
  };

  const setValue = (name: string, value: string): void => {
    secretValues.set(name, value);
    const secret = there.get(`secret/${name}`);
    if (secret !== undefined) there.set(`secret/${name}`, { ...secret, hasValue: true });
  };

  const cloud: FakeCloud = {
    there,
    secretValues,
    calls,
    hanging,
    broken,
    onChange: null,
    mostAtOnce: () => most,
    greet: (signal) => {
      signal.throwIfAborted();
      return Promise.resolve({ projectNumber: '123456789', billing: true });
    },
    async *look(kinds, { deadlineMs, signal }) {
      const waiting = new Map(kinds.map((kind) => [kind, lookAt(kind)] as const));
      async function lookAt(kind: Kind): Promise<Look> {
        calls.push(`look ${kind}`);
        if (hanging.has(kind)) {
          await sleep(deadlineMs, undefined, { signal });
          const message = 'it did not answer in time';
          return { kind, problem: { code: 'cloud-no-answer', message, next: null, retryable: true } };
        }
        await sleep(0, undefined, { signal });
        return { kind, resources: [...there.values()].filter((each) => each.kind === kind) };
      }
      while (waiting.size > 0) {
        const look = await Promise.race(waiting.values());
        waiting.delete(look.kind);
        yield look;
      }
    },
    create: (resource, progress, signal) =>
      change('create', addressOf(resource), { progress, signal }, () => {
        const missing = resource.needs.find((need) => !need.startsWith('api/') && !there.has(need));
        if (missing !== undefined)
          throw new EvenkeelError({ code: 'cloud-not-found', what: `${missing} is not there`, exit: 2 });
        if (resource.kind === 'sql-user' && !secretValues.has(resource.attributes.passwordSecret))
          setValue(resource.attributes.passwordSecret, 'made-up-password');
        return there.get(addressOf(resource)) ?? put(resource);
      }),
    update: (resource, _observed, progress, signal) =>
      change('update', addressOf(resource), { progress, signal }, () => put(resource)),
    remove: (observed, progress, signal) =>
      change('remove', addressOf(observed), { progress, signal }, () => {
        there.delete(addressOf(observed));
        if (observed.kind === 'secret') secretValues.delete(observed.name);
        if (observed.kind === 'sql-instance')
          for (const [address, each] of there)
            if ('instance' in each.attributes && each.attributes.instance === observed.name) there.delete(address);
      }),
    setRunning: (observed, running, progress, signal) =>
      change(running ? 'start' : 'stop', addressOf(observed), { progress, signal }, () => {
        const known = there.get(addressOf(observed));
        if (known === undefined) throw refused(addressOf(observed));
        there.set(addressOf(observed), { ...known, state: running ? 'ready' : 'stopped' });
      }),
    setSecret: (name, value, signal) =>
      change('set', `secret/${name}`, { signal }, () => {
        setValue(name, value);
        return 'secret';
      }),
    bill: [],
    billed(_table, _month, signal) {
      signal.throwIfAborted();
      return Promise.resolve(cloud.bill);
    },
  };
  return cloud;
}

const refused = (address: Address): EvenkeelError =>
  new EvenkeelError({
    code: 'cloud-refused',
    what: `${address} could not be changed`,
    why: 'the provider refused',
    next: 'ask for the permission',
    exit: 2,
  });
