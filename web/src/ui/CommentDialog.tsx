import { Button, Modal } from '@mantine/core';
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Problem } from './Problem.tsx';
import styles from './CommentDialog.module.css';

interface Props {
  /** Null: closed. */
  title: string | null;
  means: string;
  verb: string;
  danger: boolean;
  busy: boolean;
  error: unknown;
  onCancel: () => void;
  onConfirm: (comment: string | null) => void;
  /** What else has to be said, below what was refused. */
  children?: ReactNode;
}

/** Asks whether it is meant, and why; Enter in the comment confirms. */
export function CommentDialog({ title, onCancel, ...rest }: Props) {
  if (title === null) return null;
  return (
    <Modal.Root opened onClose={onCancel} size={460} yOffset="14vh">
      <Modal.Overlay />
      <Modal.Content aria-label={title}>
        <Modal.Body p={0}>
          <Form title={title} onCancel={onCancel} {...rest} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Form({ title, means, verb, danger, busy, error, onCancel, onConfirm, children }: Props) {
  const [comment, setComment] = useState('');
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!busy) onConfirm(comment.trim() === '' ? null : comment.trim());
  };
  return (
    <form className={styles['form']} onSubmit={submit}>
      <h2 className={styles['title']}>{title}</h2>
      <p className="muted">{means}</p>
      <label htmlFor={id} className={styles['label']}>
        Comment
      </label>
      <input
        id={id}
        ref={input}
        data-autofocus
        className={styles['input']}
        value={comment}
        maxLength={2000}
        placeholder="Why, for whoever reads the story later"
        onChange={(event) => setComment(event.target.value)}
      />
      {error !== null && error !== undefined && <Problem error={error} />}
      {children}
      <div className={styles['buttons']}>
        <Button variant="default" size="sm" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" size="sm" color={danger ? 'red' : 'blue'} aria-busy={busy}>
          {busy ? `${verb} …` : verb}
        </Button>
      </div>
    </form>
  );
}
