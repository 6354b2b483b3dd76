import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { RequestReply, RolloutView } from '../../../src/api/contract/rollouts.ts';
import { useChange } from '../api/change.ts';
import { api } from '../api/client.ts';
import { useMay } from '../api/may.ts';
import { useWho } from '../api/session.ts';
import type { Entry } from '../shell/entries.ts';
import { useOffer } from '../shell/page-actions.ts';
import { CommentDialog } from '../ui/CommentDialog.tsx';
import { sentence } from '../ui/Problem.tsx';
import { type Action, actionsFor, isApproval, waitsForApproval, whyNoApproval } from './actions.ts';
import styles from './ActionBar.module.css';

/** What a person may do about it, each with a word on what comes of it and room for a comment. */
export function ActionBar({ rollout }: { rollout: RolloutView }) {
  const [chosen, setChosen] = useState<Action | null>(null);
  const ask = useChange(
    ({ kind, comment }: { kind: Action['kind']; comment: string | null }): Promise<RequestReply> =>
      isApproval(kind)
        ? api.answerApproval({ rollout: rollout.id, kind, comment })
        : api.steerRollout({ rollout: rollout.id, kind, comment }),
    { touches: [], onDone: () => setChosen(null) },
  );
  const { may, signedIn } = useMay();
  const me = useWho()?.who.name ?? null;
  const all = actionsFor(rollout, me);
  const no = waitsForApproval(rollout) && may('rollout:approve', rollout) ? whyNoApproval(rollout, me) : null;
  const allowed = all.filter(({ kind }) => may(isApproval(kind) ? 'rollout:approve' : 'rollout:steer', rollout));
  // As text, since the view is a new one at every event.
  const shown = JSON.stringify(allowed);
  const actions = useMemo(() => JSON.parse(shown) as Action[], [shown]);
  // One stands out.
  const first = actions.find(({ style }) => style === 'primary');
  const choose = (action: Action): void => {
    ask.reset();
    setChosen(action);
  };
  const { reset } = ask;
  const entries = useMemo<Entry[]>(
    () =>
      actions.map((action) => ({
        id: `action ${action.kind}`,
        kind: 'action',
        name: `${action.name} this rollout`,
        hint: 'action',
        run: () => {
          reset();
          setChosen(action);
        },
      })),
    [actions, reset],
  );
  useOffer(entries);

  return (
    <>
      <div className="row">
        {actions.map((action) => (
          <Button
            key={action.kind}
            size="xs"
            variant={action === first ? 'filled' : 'default'}
            className={action.style === 'danger' ? styles['danger'] : undefined}
            onClick={() => choose(action)}
          >
            {action.name}
          </Button>
        ))}
      </div>
      <CommentDialog
        title={chosen === null ? null : `${chosen.name} this rollout?`}
        means={chosen?.means ?? ''}
        verb={chosen?.name ?? ''}
        danger={chosen?.style === 'danger'}
        busy={ask.isPending}
        error={ask.error}
        onCancel={() => setChosen(null)}
        onConfirm={(comment) => chosen !== null && ask.mutate({ kind: chosen.kind, comment })}
      />
      {signedIn && all.length > 0 && allowed.length === 0 && (
        <p className={`muted ${styles['answer']}`}>
          You may look at it; none of your roles steers or approves rollouts in {rollout.environment}.
        </p>
      )}
      {no !== null && <p className={`muted ${styles['answer']}`}>{no}</p>}
      <Answer reply={ask.data} />
    </>
  );
}

/** What came of the last thing that was asked. */
function Answer({ reply }: { reply: RequestReply | undefined }) {
  const text =
    reply?.unwritten?.message ??
    (reply === undefined ? null : (reply.answer?.reason ?? 'It was heard, and waits for something else to end first.'));
  const refused = reply?.answer?.refused ?? null;
  return (
    <div role="status" className={styles['answer']}>
      {text !== null && text !== undefined && (
        <p className={refused === null ? 'muted' : styles['refused']}>
          {refused === null ? '' : 'Nothing came of it: '}
          {sentence(text)}
        </p>
      )}
    </div>
  );
}
