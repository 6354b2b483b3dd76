import type { Overview } from '../../../src/api/contract/overview.ts';
import { formatLatency, formatRate, formatShare } from '../../../src/lib/format.ts';
import { Spark } from '../ui/Spark.tsx';
import { type Level, State } from '../ui/State.tsx';
import { commonLevels, saidLevels } from './levels.ts';
import styles from './Tiles.module.css';

interface Tile {
  name: string;
  value: string;
  state: Level;
  /** What it is judged by, or what it is of. */
  note: string;
  points: readonly (number | null)[];
  target?: number | null;
  atLeast?: number;
}

/** The whole in five figures, each with its state, what it is judged by, and the last hour. */
export function Tiles({ overview }: { overview: Overview }) {
  return (
    <dl className={styles['tiles']}>
      {tilesOf(overview).map(({ name, value, state, note, points, target = null, atLeast = 0 }) => (
        <div key={name} className={`panel ${styles['tile']}`}>
          <dt>
            <span>{name}</span>
            <State level={state}>{state}</State>
          </dt>
          <dd>
            <span className={styles['value']}>{value}</span>
            <span className={styles['note']}>{note}</span>
            <Spark
              points={points}
              level={state}
              target={target}
              atLeast={atLeast}
              label={
                points.some((each) => each !== null)
                  ? `${name} over the last hour`
                  : `${name} over the last hour: nothing was seen`
              }
            />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function tilesOf({ tiles, services }: Overview): Tile[] {
  const { services: healthy, rate, errorRate, averageMs, p95Ms } = tiles;
  const errors = commonLevels(services, 'errorRate');
  const latency = commonLevels(services, 'p95Ms');
  const said = (value: number | null, format: (value: number) => string): string =>
    value === null ? '–' : format(value);
  const judgedBy = (levels: typeof errors, format: (value: number) => string): string =>
    levels === 'own' ? 'by each service’s own objective' : saidLevels(levels, format);
  return [
    {
      name: 'Services healthy',
      value: healthy.total === 0 ? '–' : `${healthy.healthy} of ${healthy.total}`,
      state: healthy.state,
      note: healthy.unknown > 0 ? `of ${healthy.unknown} nothing is known` : 'of those that are meant to run',
      points: healthy.points,
      atLeast: healthy.total,
    },
    {
      name: 'Requests',
      value: said(rate.value, formatRate),
      state: rate.state,
      note: rate.value === null ? 'nobody looked in the last five minutes' : 'over the last five minutes',
      points: rate.points,
    },
    {
      name: 'Error rate',
      value: said(errorRate.value, formatShare),
      state: errorRate.state,
      note: judgedBy(errors, formatShare),
      points: errorRate.points,
      target: levelOf(errors),
      atLeast: levelOf(errors) ?? 0.01,
    },
    {
      name: 'Average latency',
      value: said(averageMs.value, formatLatency),
      state: averageMs.state,
      note: 'to the first byte; judged by p95',
      points: averageMs.points,
    },
    {
      name: 'p95 latency',
      value: said(p95Ms.value, formatLatency),
      state: p95Ms.state,
      note: judgedBy(latency, formatLatency),
      points: p95Ms.points,
      target: levelOf(latency),
    },
  ];
}

const levelOf = (levels: ReturnType<typeof commonLevels>): number | null =>
  levels === 'own' || levels === null ? null : levels.warning;
