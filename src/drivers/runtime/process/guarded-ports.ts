import { join } from 'node:path';
import { filesIn } from './folder.ts';
import { type InstanceRecord, readInstanceRecord } from './instance-record.ts';
import type { PortGuard } from './port-guard.ts';

/** How often the rules about ports are put in force again, ms. */
const EVERY = 30_000;

/** The ports of all instances of a home that run as users of their own. */
export interface GuardedPorts {
  /** Now and then: somebody who loads his own firewall anew takes our rules away with it. */
  keep(): void;
  /** Its instance goes, and its ports may be somebody else's next. What it answers is called when its folder is gone. */
  forget(record: InstanceRecord): Promise<() => void>;
}

export function guardedPorts(instances: string, guard: PortGuard): GuardedPorts {
  let keptAt = Number.NEGATIVE_INFINITY;
  /** Forgotten, with folders that are still there. */
  const leaving = new Set<string>();
  /** One after the other: what is put in force again must not bring back what is forgotten meanwhile. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  /** As long as their folders are there. */
  const known = (): { id: string; uid: number; ports: number[] }[] =>
    [...filesIn(instances)].flatMap((name) => {
      const record = name.startsWith('.') ? null : readInstanceRecord(join(instances, name));
      if (record === null || record.uid === null || leaving.has(record.id)) return [];
      return [{ id: record.id, uid: record.uid, ports: portsOf(record) }];
    });
  return {
    keep() {
      if (performance.now() - keptAt < EVERY) return;
      keptAt = performance.now();
      void inTurn(() => guard.allow(known()));
    },
    async forget(record) {
      const { id, uid } = record;
      if (uid === null) return () => undefined;
      leaving.add(id);
      await inTurn(async () => {
        const needed = new Set(known().flatMap((each) => (each.uid === uid ? each.ports : [])));
        await guard.forget({ uid, ports: portsOf(record).filter((port) => !needed.has(port)) });
      });
      return () => void leaving.delete(id);
    },
  };
}

const portsOf = ({ port, calls }: InstanceRecord): number[] => [...(port === null ? [] : [port]), ...calls];
