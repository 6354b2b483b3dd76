import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { PageSkeleton } from '../ui/PageSkeleton.tsx';
import { Problem } from '../ui/Problem.tsx';

/** What was asked for, once it is there; what is known stays when asking again fails. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  const { data, error, refetch } = query;
  if (data !== undefined) return children(data);
  return error === null ? <PageSkeleton /> : <Problem error={error} retry={() => void refetch()} />;
}
