import { queryOptions, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { SessionView, SignedInView } from '../../../src/api/contract/session.ts';
import { api } from './client.ts';

/** Who one is to the controller, as it says: the session itself is a cookie, which no script sees. */
export interface Session {
  readonly view: SessionView;
  /** Who one was in this tab until the session ended; null: it did not, or it was ended from here. */
  readonly ended: SignedInView | null;
}

const KEY = ['session'] as const;

const session = (queries: QueryClient) =>
  queryOptions({
    queryKey: KEY,
    queryFn: async ({ signal }): Promise<Session> => {
      const view = await api.getSession({}, { signal });
      const before = queries.getQueryData<Session>(KEY);
      return { view, ended: view.state === 'signed-in' ? null : wasSignedIn(before) };
    },
    staleTime: 30_000,
    refetchOnWindowFocus: 'always',
  });

const wasSignedIn = (before: Session | undefined): SignedInView | null =>
  before === undefined ? null : before.view.state === 'signed-in' ? before.view : before.ended;

export const useSession = () => useQuery(session(useQueryClient()));

/** Who is signed in, or was until the session ended: what was seen stays. Null: nobody. */
export function useWho(): SignedInView | null {
  return wasSignedIn(useSession().data);
}

/** Asks again, when something was refused that should not have been asked for. */
export const useAskSession = (): (() => Promise<void>) => {
  const queries = useQueryClient();
  return useCallback(() => queries.invalidateQueries({ queryKey: KEY }), [queries]);
};

/** Takes over what a step of signing in or out was answered. What somebody else has seen before is forgotten. */
export function useBecome(): (view: SessionView) => void {
  const queries = useQueryClient();
  return useCallback(
    (view) => {
      // An answer that is still on its way is about whoever one was before.
      void queries.cancelQueries({ queryKey: KEY });
      const was = wasSignedIn(queries.getQueryData<Session>(KEY));
      const same = view.state === 'signed-in' && was?.who.user?.id === view.who.user?.id;
      if (!same) queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
      queries.setQueryData<Session>(KEY, { view, ended: null });
    },
    [queries],
  );
}
