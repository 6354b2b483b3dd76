import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ActView } from '../../../src/api/contract/audit.ts';
import { api } from '../api/client.ts';
import { ProblemError } from '../api/problem-error.ts';
import { Buttons, Dialog } from '../ui/Dialog.tsx';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';
import { fullTime } from '../ui/times.ts';
import { Result } from './ActTable.tsx';
import { differences, leavesOf } from './differences.ts';
import { operationInWords, placeInWords } from './words.ts';
import styles from './Audit.module.css';

/** One act with all that is known of it. `known`: it is in the list that is shown already. */
export function ActDialog({ seq, known, onClose }: { seq: number; known: ActView | undefined; onClose: () => void }) {
  const { data, error } = useQuery({
    queryKey: ['audit', null, 'act', seq],
    queryFn: ({ signal }) => oneAct(seq, signal),
    enabled: known === undefined,
  });
  const act = known ?? data;
  return (
    <Dialog title={act === undefined ? `Act ${seq}` : operationInWords(act.operation)} onClose={onClose}>
      {act === undefined ? error === null ? <PageSkeleton /> : <Problem error={error} /> : <Act act={act} />}
      <Buttons>
        <Button variant="default" size="sm" onClick={onClose} data-autofocus>
          Close
        </Button>
      </Buttons>
    </Dialog>
  );
}

async function oneAct(seq: number, signal: AbortSignal): Promise<ActView> {
  const { acts } = await api.listAudit({ before: String(seq + 1), limit: 1 }, { signal });
  const [act] = acts;
  if (act?.seq === seq) return act;
  throw new ProblemError({
    code: 'act-unknown',
    title: `there is no act ${seq} that you may see`,
    status: 404,
    where: null,
    why: 'it is of another organization, or older than what is kept',
    next: null,
    retryable: false,
  });
}

function Act({ act }: { act: ActView }) {
  const { seq, at, who, identity, source, rollout, input, before, after } = act;
  // Where nothing says what came of it, it is what was asked for.
  const told = after !== undefined;
  const changed = differences(before, told ? after : input);
  const asked = told || before === undefined ? [...leavesOf(input)] : [];
  return (
    <>
      <dl className={styles['facts']}>
        <dt>When</dt>
        <dd>{fullTime(at)}</dd>
        <dt>Who</dt>
        <dd>
          {who} <span className="muted">({identity})</span>
        </dd>
        <dt>From</dt>
        <dd>{source === 'socket' ? 'the machine itself' : source}</dd>
        <dt>On</dt>
        <dd>{placeInWords(act)}</dd>
        {rollout !== null && (
          <>
            <dt>Rollout</dt>
            <dd>
              <Link to="/rollouts/$rollout" params={{ rollout }} className="link">
                {rollout}
              </Link>
            </dd>
          </>
        )}
        <dt>Result</dt>
        <dd>
          <Result act={act} />
        </dd>
        <dt>Place in the chain</dt>
        <dd className="figure">{seq}</dd>
      </dl>
      {asked.length > 0 && (
        <section aria-label="What was asked for">
          <h3>What was asked for</h3>
          <dl className={styles['values']}>
            {asked.map(([path, value]) => (
              <div key={path}>
                <dt>{path}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      {(before !== undefined || after !== undefined) && (
        <section aria-label="What changed">
          <h3>{told ? 'What changed' : 'Before, and what was asked for'}</h3>
          {changed.length === 0 ? (
            <p className="muted">Nothing is different.</p>
          ) : (
            <ul className={styles['changes']}>
              {changed.map(({ path, before: was, after: is }) => (
                <li key={path}>
                  <span className={styles['path']}>{path === '' ? 'value' : path}</span>
                  {was !== null && (
                    <del>
                      <span aria-hidden="true">− </span>
                      {was}
                    </del>
                  )}
                  {is !== null && (
                    <ins>
                      <span aria-hidden="true">+ </span>
                      {is}
                    </ins>
                  )}
                </li>
              ))}
            </ul>
          )}
        </section>
      )}
    </>
  );
}
