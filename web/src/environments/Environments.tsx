import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { Overview } from '../../../src/api/contract/overview.ts';
import { api } from '../api/client.ts';
import { useOverview } from '../api/overview.ts';
import { byCare } from '../overview/by-care.ts';
import { Command, Empty } from '../ui/Empty.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useTitle } from '../ui/title.ts';
import { Differences } from './Differences.tsx';
import { Promotion } from './Promotion.tsx';
import styles from './Environments.module.css';

/** Environments of a project side by side: what differs, and how one gets what the other has. */
export function Environments() {
  useTitle('Environments');
  const { data, error, refetch } = useOverview();
  const { project } = useParams({ strict: false });
  if (data === undefined)
    return error === null ? <PageSkeleton /> : <Problem error={error} retry={() => void refetch()} />;
  const projects = [...new Set(data.services.map((each) => each.project))].toSorted();
  const chosen = project ?? projects.find((each) => environmentsOf(data, each).length > 1) ?? projects[0];
  return (
    <div className="stack">
      <h1>Environments</h1>
      {projects.length > 1 && (
        <nav className="row" aria-label="Projects">
          {projects.map((each) => (
            <Link
              key={each}
              to="/projects/$project/environments"
              params={{ project: each }}
              className={`${styles['project']} ${each === chosen ? styles['chosen'] : ''}`}
              aria-current={each === chosen ? 'page' : undefined}
            >
              {each}
            </Link>
          ))}
        </nav>
      )}
      {chosen === undefined || !projects.includes(chosen) ? (
        <div className="panel">
          <Empty title={chosen === undefined ? 'There is no environment yet' : `There is no project ${chosen}`}>
            <Command>evenkeel deploy --env staging</Command> makes one.
          </Empty>
        </div>
      ) : (
        <Project key={chosen} project={chosen} environments={environmentsOf(data, chosen)} />
      )}
    </div>
  );
}

const environmentsOf = ({ services }: Overview, project: string): string[] =>
  [...new Set(services.filter((each) => each.project === project).map(({ environment }) => environment))].toSorted(
    byCare,
  );

function Project({ project, environments }: { project: string; environments: readonly string[] }) {
  const [most = ''] = environments;
  // From what is tried to what matters.
  const [from, setFrom] = useState(environments.find((each) => each === 'staging' && each !== most) ?? environments[1]);
  const [to, setTo] = useState(most);
  if (from === undefined)
    return (
      <div className="panel">
        <Empty title={`${project} has one environment, ${most}`}>
          There is nothing to compare it with.{' '}
          <Command>{`evenkeel deploy --env ${most === 'staging' ? 'production' : 'staging'}`}</Command> makes another.
        </Empty>
      </div>
    );
  return (
    <>
      <div className={styles['choice']}>
        <Choice name="Compare" value={from} all={environments} not={to} onChoose={setFrom} />
        <Choice name="with" value={to} all={environments} not={from} onChoose={setTo} />
      </div>
      <Compared key={`${from} ${to}`} project={project} from={from} to={to} />
    </>
  );
}

function Compared({ project, from, to }: { project: string; from: string; to: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['comparison', { project }, from, to],
    queryFn: ({ signal }) => api.compareEnvironments({ project, environments: `${from},${to}` }, { signal }),
    placeholderData: keepPreviousData,
  });
  if (data === undefined)
    return error === null ? <PageSkeleton /> : <Problem error={error} retry={() => void refetch()} />;
  return (
    <>
      <Promotion comparison={data} from={from} to={to} />
      <Differences comparison={data} />
    </>
  );
}

interface ChoiceOf {
  name: string;
  value: string;
  all: readonly string[];
  /** What is chosen beside it. */
  not: string;
  onChoose: (environment: string) => void;
}

const Choice = ({ name, value, all, not, onChoose }: ChoiceOf) => (
  <label>
    <span className="muted">{name}</span>
    <select value={value} onChange={(event) => onChoose(event.target.value)}>
      {all.map((each) => (
        <option key={each} value={each} disabled={each === not}>
          {each}
        </option>
      ))}
    </select>
  </label>
);
