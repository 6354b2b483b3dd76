import { useEffect } from 'react';

/** Of the tab, and what a screen reader says of the page. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · evenkeel`;
  }, [title]);
}
