import { Button } from '@mantine/core';
import { useRef, useState } from 'react';
import styles from './ShownOnce.module.css';

/** A secret that nobody can see again, with a button that copies it. */
export function ShownOnce({ label, text }: { label: string; text: string }) {
  const [copied, setCopied] = useState<boolean | null>(null);
  const box = useRef<HTMLElement>(null);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // Browsers let only pages of https and of this machine write there.
      if (box.current !== null) getSelection()?.selectAllChildren(box.current);
      setCopied(false);
    }
  };
  return (
    <div className={styles['once']}>
      <code ref={box} className={styles['text']} aria-label={label}>
        {text}
      </code>
      <div className="row">
        <Button size="xs" onClick={() => void copy()}>
          Copy
        </Button>
        <span role="status" className="muted">
          {copied === null ? 'It is shown this once.' : copied ? 'Copied.' : 'It is selected: copy it with Ctrl C.'}
        </span>
      </div>
    </div>
  );
}
