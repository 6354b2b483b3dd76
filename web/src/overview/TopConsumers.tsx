import { Link } from '@tanstack/react-router';
import type { Overview } from '../../../src/api/contract/overview.ts';
import { formatBytes, formatShare } from '../../../src/lib/format.ts';
import { serviceHref } from '../service/href.ts';
import styles from './TopConsumers.module.css';

type Consumer = Overview['top']['cpu'][number];

/** Instances that take most, against their limits where they have some. */
export function TopConsumers({ top }: { top: Overview['top'] }) {
  return (
    <div className={styles['both']}>
      <List
        name="CPU"
        consumers={top.cpu}
        valueOf={({ cpu }) => cpu ?? 0}
        limitOf={({ cpuLimit }) => cpuLimit}
        format={(cores) => `${Number(cores.toFixed(2))} ${cores === 1 ? 'core' : 'cores'}`}
      />
      <List
        name="memory"
        consumers={top.memory}
        valueOf={({ memory }) => memory ?? 0}
        limitOf={({ memoryLimit }) => memoryLimit}
        format={formatBytes}
      />
    </div>
  );
}

interface ListOf {
  name: string;
  consumers: readonly Consumer[];
  valueOf: (consumer: Consumer) => number;
  limitOf: (consumer: Consumer) => number | null;
  format: (value: number) => string;
}

function List({ name, consumers, valueOf, limitOf, format }: ListOf) {
  const most = Math.max(0, ...consumers.map(valueOf));
  return (
    <section className="panel" aria-label={`Most ${name}`}>
      <header>
        <h2>Most {name}</h2>
      </header>
      {consumers.length === 0 ? (
        <p className={styles['none']}>Nothing was measured yet.</p>
      ) : (
        <ol className={styles['list']}>
          {consumers.map((each) => {
            const value = valueOf(each);
            const limit = limitOf(each);
            // Of its limit; without one, beside the others.
            const share = limit === null ? (most === 0 ? 0 : value / most) : Math.min(1, value / limit);
            return (
              <li key={each.instance}>
                <span className={styles['who']}>
                  <Link to={serviceHref(each)}>{each.service}</Link>
                  <span className="muted">
                    {each.project} / {each.environment}
                  </span>
                </span>
                <span className={styles['value']}>
                  {format(value)}
                  <span className="muted">
                    {limit === null ? ', no limit' : `, ${formatShare(value / limit)} of ${format(limit)}`}
                  </span>
                </span>
                <span className={`${styles['bar']} ${limit === null ? styles['open'] : ''}`} aria-hidden="true">
                  <span style={{ width: `${share * 100}%` }} />
                </span>
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}
