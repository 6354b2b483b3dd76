import { useState } from 'react';
import type { Overview, OverviewRow } from '../../../src/api/contract/overview.ts';
import { formatLatency } from '../../../src/lib/format.ts';
import { TimeChart } from '../ui/TimeChart.tsx';
import styles from './LatencyDay.module.css';

/** p95 of one service over a day against its target: at first of the one that is nearest to it, or furthest beyond. */
export function LatencyDay({ overview }: { overview: Overview }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const services = overview.services.filter(({ p95 }) => p95.points.some((each) => each !== null));
  const row = services.find((each) => nameOf(each) === chosen) ?? worstOf(services);
  if (row === undefined) return null;
  const { from, stepMs, complete } = overview.day;
  const target = row.objectives.p95Ms?.warning ?? null;
  return (
    <section className="panel" aria-label="p95 over 24 hours">
      <header>
        <h2>p95 over 24 hours</h2>
        {!complete && <span className="muted">the day is still being read</span>}
        <select
          className={styles['select']}
          aria-label="Service"
          value={nameOf(row)}
          onChange={(event) => setChosen(event.target.value)}
        >
          {services.map((each) => (
            <option key={nameOf(each)} value={nameOf(each)}>
              {each.service}, {each.project} / {each.environment}
            </option>
          ))}
        </select>
      </header>
      <TimeChart
        name={row.service}
        times={row.p95.points.map((_, index) => from + index * stepMs)}
        lines={[{ name: 'p95', values: row.p95.points, colour: '--accent' }]}
        limits={target === null ? [] : [{ name: 'target', value: target, always: true }]}
        format={formatLatency}
        height={180}
      />
    </section>
  );
}

function worstOf(services: readonly OverviewRow[]): OverviewRow | undefined {
  const nearness = ({ p95, objectives }: OverviewRow): number =>
    Math.max(0, ...p95.points.map((each) => each ?? 0)) / (objectives.p95Ms?.warning ?? Number.POSITIVE_INFINITY);
  return services.toSorted((a, b) => nearness(b) - nearness(a))[0];
}

const nameOf = ({ project, environment, service }: OverviewRow): string => `${project}/${environment}/${service}`;
