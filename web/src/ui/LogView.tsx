import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { timeOfDay } from './times.ts';
import styles from './LogView.module.css';

export interface Line {
  /** Null: not known. */
  at: number | null;
  /** Who wrote it, in front of the line; null: obvious. */
  source: string | null;
  text: string;
}

const ROW = 20;

/** Lines as they come, as many as there are: only those in sight are drawn. Stays at the end until one scrolls up. */
export function LogView({ lines, label, height = 280 }: { lines: readonly Line[]; label: string; height?: number }) {
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 20,
  });
  const { length } = lines;
  useEffect(() => {
    if (atEnd && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [length, atEnd]);
  const onScroll = (): void => {
    const { scrollTop, scrollHeight, clientHeight } = box.current ?? { scrollTop: 0, scrollHeight: 0, clientHeight: 0 };
    setAtEnd(scrollHeight - scrollTop - clientHeight < ROW * 2);
  };
  return (
    <div className={styles['frame']}>
      {/* A region that scrolls has to be reachable by the keyboard. */}
      <div
        ref={box}
        className={styles['box']}
        style={{ maxHeight: height }}
        onScroll={onScroll}
        tabIndex={0}
        role="log"
        aria-label={label}
        aria-live="off"
      >
        <div className={styles['all']} style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const line = lines[index];
            return line === undefined ? null : (
              <div key={index} className={styles['line']} style={{ transform: `translateY(${start}px)` }}>
                {line.at !== null && <span className={styles['at']}>{timeOfDay(line.at)}</span>}
                {line.source !== null && <span className={styles['source']}>{line.source}</span>}
                <span>{plain(line.text)}</span>
              </div>
            );
          })}
        </div>
      </div>
      {!atEnd && (
        <button type="button" className={styles['end']} onClick={() => setAtEnd(true)}>
          To the end
        </button>
      )}
    </div>
  );
}

/** Without the colours of terminals, and with what cannot be seen made visible: a line must not hide or turn what it says. */
const plain = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex -- these are what is to be taken out
    .replaceAll(/\u001b\[[0-9;?]*[a-zA-Z]/g, '')
    // oxlint-disable-next-line no-control-regex -- as above
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '\u00b7');
