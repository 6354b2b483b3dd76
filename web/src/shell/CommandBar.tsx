import { Modal } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useMay } from '../api/may.ts';
import { useOverview } from '../api/overview.ts';
import { type Entry, matching } from './entries.ts';
import { entriesOf } from './all-entries.ts';
import { stopFinding, useFinding } from './finder.ts';
import { usePageActions } from './page-actions.ts';
import { useSignOut } from './sign-out.ts';
import styles from './CommandBar.module.css';

/** Ctrl K: every page and every action of the present page, by name. */
export function CommandBar() {
  const words = useFinding();
  // Mounted only while it is open: a closed one leaves an empty dialog in the page.
  if (words === null) return null;
  return (
    <Modal.Root opened onClose={stopFinding} size={600} yOffset="12vh">
      <Modal.Overlay />
      <Modal.Content aria-label="Find or do">
        <Modal.Body p={0}>
          <Finder words={words} onClose={stopFinding} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Finder({ words, onClose }: { words: string; onClose: () => void }) {
  const router = useRouter();
  const { data: overview } = useOverview();
  const may = useMay();
  const actions = usePageActions();
  const signOut = useSignOut();
  const [text, setText] = useState(words);
  const [at, setAt] = useState(0);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const all = useMemo(() => [...actions, ...entriesOf(overview, may), signOut], [actions, overview, may, signOut]);
  const found = useMemo(() => matching(all, text).slice(0, 60), [all, text]);
  const chosen = Math.min(at, found.length - 1);

  // At once, and not when the dialog has settled: people go on typing.
  useEffect(() => input.current?.focus(), []);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const run = (entry: Entry | undefined): void => {
    if (entry === undefined) return;
    onClose();
    if (entry.kind === 'action') entry.run();
    else router.history.push(entry.href);
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      setAt((chosen + step + found.length) % found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(found[chosen]);
    }
  };

  return (
    <div>
      <input
        className={styles['input']}
        ref={input}
        data-autofocus
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length > 0 ? `${id}-${chosen}` : undefined}
        aria-label="Find a page or an action"
        placeholder="A service, a rollout, an action …"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <ul className={styles['list']} role="listbox" id={`${id}-list`} aria-label="Found" ref={list} tabIndex={-1}>
        {found.map((entry, index) => (
          <li
            key={entry.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={styles['entry']}
            onMouseMove={() => setAt(index)}
            onClick={() => run(entry)}
          >
            <span>{entry.name}</span>
            <span className={styles['hint']}>{entry.hint}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className={styles['none']}>Nothing is called so.</p>}
    </div>
  );
}
