import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Overview as Everything } from '../../../src/api/contract/overview.ts';
import { plural } from '../../../src/lib/format.ts';
import { useOverview } from '../api/overview.ts';
import type { Entry } from '../shell/entries.ts';
import { find } from '../shell/finder.ts';
import { useOffer } from '../shell/page-actions.ts';
import { useNow } from '../ui/clock.ts';
import { downloadJson } from '../ui/download.ts';
import { later } from '../ui/later.tsx';
import { Command, Empty } from '../ui/Empty.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { timeOfDay } from '../ui/times.ts';
import { useTitle } from '../ui/title.ts';
import { ProjectTable } from './ProjectTable.tsx';
import { RolloutLine } from './RolloutLine.tsx';
import { ServiceTable } from './ServiceTable.tsx';
import { Tiles } from './Tiles.tsx';
import { TopConsumers } from './TopConsumers.tsx';
import { Warnings } from './Warnings.tsx';
import styles from './Overview.module.css';

// With the charts: what stands above it is drawn first.
const LatencyDay = later(() => import('./LatencyDay.tsx').then((module) => module.LatencyDay), 250);

/** Everything that runs, at a glance. */
export function Overview() {
  useTitle('Overview');
  const { data, error, refetch } = useOverview();
  const actions = useMemo<Entry[]>(
    () => [
      { id: 'refresh', kind: 'action', name: 'Refresh', hint: 'action', run: () => void refetch() },
      ...(data === undefined
        ? []
        : [
            {
              id: 'export',
              kind: 'action',
              name: 'Export data',
              hint: 'action, what is seen now as JSON',
              run: () => save(data),
            } as const,
          ]),
    ],
    [data, refetch],
  );
  useOffer(actions);

  if (data === undefined)
    return error === null ? <PageSkeleton /> : <Problem error={error} retry={() => void refetch()} />;
  return (
    <div className="stack">
      <div className={styles['head']}>
        <div>
          <h1>Overview</h1>
          <p className="muted figure">as of {timeOfDay(data.at)}</p>
        </div>
        <div className="row">
          <Button variant="default" size="xs" onClick={() => void refetch()}>
            Refresh
          </Button>
          <Button variant="default" size="xs" onClick={() => save(data)}>
            Export data
          </Button>
          <Button variant="default" size="xs" component={Link} to="/objectives">
            Configure alerts
          </Button>
          <Button variant="default" size="xs" onClick={() => find('logs of ')}>
            View logs
          </Button>
        </div>
      </div>
      {data.services.length === 0 ? <NothingYet /> : <Seen overview={data} />}
    </div>
  );
}

function Seen({ overview }: { overview: Everything }) {
  const now = useNow();
  const { services, rollouts, warnings, top } = overview;
  const projects = [...new Set(services.map(({ project }) => project))].toSorted();
  return (
    <>
      <Tiles overview={overview} />
      {rollouts.length > 0 && (
        <section className={`panel ${styles['rollouts']}`} aria-label="Rollouts under way">
          <header>
            <h2>{plural(rollouts.length, 'rollout')} under way</h2>
          </header>
          {rollouts.map((each) => (
            <RolloutLine key={each.id} rollout={each} now={now} />
          ))}
        </section>
      )}
      <Warnings warnings={warnings} />
      {projects.map((project) => (
        <ProjectTable key={project} project={project} overview={overview} now={now} />
      ))}
      <ServiceTable overview={overview} />
      <LatencyDay overview={overview} />
      <TopConsumers top={top} />
    </>
  );
}

/** With its time in its name: several of one day are told apart. */
const save = (overview: Everything): void =>
  downloadJson(
    `evenkeel-overview-${new Date(overview.at).toISOString().slice(0, 19).replaceAll(':', '')}.json`,
    overview,
  );

function NothingYet() {
  return (
    <div className="panel">
      <Empty title="Nothing has been deployed yet">
        In the folder of your system: <Command>evenkeel init</Command> writes its <Command>evenkeel.yaml</Command>, and{' '}
        <Command>evenkeel up</Command> starts it. To look around first: <Command>evenkeel demo</Command>.
      </Empty>
    </div>
  );
}
