import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, type Ref, useLayoutEffect, useRef, useState } from 'react';

/** To be spread over the `tr` of a row. */
export interface RowProps {
  ref: Ref<HTMLTableRowElement>;
  'data-index': number;
  'aria-rowindex': number;
}

interface Props {
  count: number;
  /** Columns, for what stands in for rows that are out of sight. */
  columns: number;
  /** About how high a row is, px. */
  rowHeight: number;
  keyOf: (index: number) => string;
  children: (index: number, props: RowProps) => ReactNode;
}

/** Rows of a table as long as may be: only those in sight are drawn. The table says by `aria-rowcount` how many there are. */
export function VirtualBody({ count, columns, rowHeight, keyOf, children }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  // What stands above it may have grown.
  useLayoutEffect(() => {
    const now = Math.round((body.current?.getBoundingClientRect().top ?? 0) + scrollY);
    if (Math.abs(now - top) > 1) setTop(now);
  });
  const rows = useWindowVirtualizer({
    count,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: top,
    getItemKey: keyOf,
  });
  const shown = rows.getVirtualItems();
  const before = Math.max(0, (shown[0]?.start ?? top) - top);
  const after = Math.max(0, rows.getTotalSize() - ((shown.at(-1)?.end ?? top) - top));
  return (
    <tbody ref={body}>
      {before > 0 && <Gap columns={columns} height={before} />}
      {shown.map(({ index }) =>
        // The head of the table is its first row.
        children(index, { ref: rows.measureElement, 'data-index': index, 'aria-rowindex': index + 2 }),
      )}
      {after > 0 && <Gap columns={columns} height={after} />}
    </tbody>
  );
}

const Gap = ({ columns, height }: { columns: number; height: number }) => (
  <tr aria-hidden="true" data-gap="">
    <td colSpan={columns} style={{ height, padding: 0 }} />
  </tr>
);
