import { Link, useParams } from '@tanstack/react-router';
import type { RolloutView } from '../../../src/api/contract/rollouts.ts';
import { formatDuration } from '../../../src/lib/format.ts';
import { serviceHref } from '../service/href.ts';
import { useNow } from '../ui/clock.ts';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem, sentence } from '../ui/Problem.tsx';
import { State } from '../ui/State.tsx';
import { ago, fullTime } from '../ui/times.ts';
import { useTitle } from '../ui/title.ts';
import { ActionBar } from './ActionBar.tsx';
import { Judgement } from './Judgement.tsx';
import { Output } from './Output.tsx';
import { PhaseLine } from './PhaseLine.tsx';
import { labelsOf, stateOf, titleOf } from './state.ts';
import { Story } from './Story.tsx';
import { TrafficSplit } from './TrafficSplit.tsx';
import { useRollout } from './use-rollout.ts';
import styles from './RolloutPage.module.css';

/** A rollout as it happens, and its story afterwards, at an address that stays. */
export function RolloutPage() {
  const { rollout: id } = useParams({ strict: false });
  return <Rollout key={id} id={id ?? ''} />;
}

function Rollout({ id }: { id: string }) {
  const { rollout, entries, output, error } = useRollout(id);
  const now = useNow();
  useTitle(rollout === null ? 'Rollout' : `${titleOf(rollout)}: ${stateOf(rollout)[1]}`);
  if (rollout === null)
    return error === null ? (
      <PageSkeleton />
    ) : (
      <div className="stack">
        <h1>Rollout {id}</h1>
        <Problem error={error} retry={() => location.reload()} />
      </div>
    );
  return (
    <div className="stack">
      <Head rollout={rollout} now={now} />
      <section className="panel" aria-label="Progress">
        <PhaseLine rollout={rollout} entries={entries} now={now} />
        <Reason rollout={rollout} />
      </section>
      <TrafficSplit rollout={rollout} now={now} />
      <Judgement rollout={rollout} />
      <Services rollout={rollout} />
      <Output rollout={rollout.id} output={output} />
      <Story entries={entries} />
    </div>
  );
}

function Head({ rollout, now }: { rollout: RolloutView; now: number }) {
  const { project, environment, kind, requestedBy, createdAt, endedAt } = rollout;
  const [level, word] = stateOf(rollout);
  return (
    <div className={styles['head']}>
      <div>
        <p className="muted">
          <Link to="/rollouts">Rollouts</Link> / {project} / {environment}
        </p>
        <h1 className={styles['title']}>
          <span>{titleOf(rollout)}</span>
          {labelsOf(rollout).map((label) => (
            <span key={label} className={styles['label']}>
              {label}
            </span>
          ))}
          <span className={styles['state']}>
            <State level={level}>{word}</State>
          </span>
        </h1>
        <p className="muted" title={fullTime(createdAt)}>
          {kind === 'rollback' ? 'Rollback' : 'Deploy'} by {requestedBy}, begun {ago(createdAt, now)}
          {endedAt === null ? '' : `, over after ${formatDuration(endedAt - createdAt)}`}
        </p>
      </div>
      <ActionBar rollout={rollout} />
    </div>
  );
}

/** Why it is where it is, and whom it waits for. */
function Reason({ rollout }: { rollout: RolloutView }) {
  const { paused, reason, approvals, end } = rollout;
  return (
    <div className={`${styles['reason']} ${paused === null ? '' : styles['paused']}`} aria-live="polite">
      <p>{sentence(paused?.detail ?? reason)}</p>
      {approvals.needed > 0 && end === null && (
        <p className="muted">
          {approvals.given.length} of {approvals.needed} approvals
        </p>
      )}
      {approvals.given.map(({ by, at, comment }) => (
        <p key={by} className="muted" title={fullTime(at)}>
          Approved by {by}
          {comment === null ? '' : `: ${comment}`}
        </p>
      ))}
    </div>
  );
}

/** What it moves from where to where, and how much of it runs. */
function Services({ rollout }: { rollout: RolloutView }) {
  const { services, removes, project, environment } = rollout;
  if (services.length + removes.length === 0) return null;
  return (
    <section className="panel" aria-label="Services">
      <header>
        <h2>Services</h2>
      </header>
      <ul className={styles['services']}>
        {services.map(({ service, from, to, observed, alone }) => (
          <li key={service}>
            <Link to={serviceHref({ project, environment, service })} className={styles['name']}>
              {service}
            </Link>
            <span className="mono">
              {from ?? <span className="muted">nothing</span>} <span aria-label="to">→</span> {to}
            </span>
            <span className={`muted figure ${styles['observed']}`}>
              {alone === true ? 'its former release was stopped first; ' : ''}
              {observed === null ? '' : `${observed.healthy} of ${observed.wanted} healthy`}
            </span>
          </li>
        ))}
        {removes.map(({ service, release }) => (
          <li key={service}>
            <span className={styles['name']}>{service}</span>
            <span className="mono">
              {release} <span aria-label="to">→</span> <span className="muted">taken down</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
