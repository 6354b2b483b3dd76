import { Button, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { Problem } from './Problem.tsx';
import styles from './Dialog.module.css';

interface DialogProps {
  title: string;
  /** It shows what nobody sees again: only its own button closes it. */
  once?: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** Something to fill in or to read, before the page; Escape closes it. Mount it only while it is open. */
export function Dialog({ title, once = false, onClose, children }: DialogProps) {
  return (
    <Modal.Root opened onClose={onClose} size={480} yOffset="10vh" closeOnClickOutside={!once} closeOnEscape={!once}>
      <Modal.Overlay />
      <Modal.Content aria-label={title}>
        <Modal.Body p={0}>
          <div className={styles['dialog']}>
            <h2 className={styles['title']}>{title}</h2>
            {children}
          </div>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

/** What stands at the end of a dialog. */
export const Buttons = ({ children }: { children: ReactNode }) => <div className={styles['buttons']}>{children}</div>;

interface ConfirmProps {
  title: string;
  /** What comes of it, in a sentence. */
  means: string;
  verb: string;
  busy: boolean;
  error: unknown;
  onClose: () => void;
  onConfirm: () => void;
}

/** Asks whether something is meant that takes away. */
export function Confirm({ title, means, verb, busy, error, onClose, onConfirm }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p className="muted">{means}</p>
      {error !== null && error !== undefined && <Problem error={error} />}
      <Buttons>
        <Button variant="default" size="sm" onClick={onClose} data-autofocus>
          Cancel
        </Button>
        <Button color="red" size="sm" aria-busy={busy} onClick={() => !busy && onConfirm()}>
          {busy ? `${verb} …` : verb}
        </Button>
      </Buttons>
    </Dialog>
  );
}
