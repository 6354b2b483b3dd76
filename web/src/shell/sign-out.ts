import { useMutation } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useMemo } from 'react';
import { api } from '../api/client.ts';
import { useBecome } from '../api/session.ts';
import type { Entry } from './entries.ts';

/** Ends the session; the page that was open is shown to nobody any more. */
export function useLeave(): { leave: () => void; busy: boolean; error: unknown } {
  const become = useBecome();
  const router = useRouter();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => api.signOut({}),
    onSuccess(view) {
      router.history.push('/sign-in');
      become(view);
    },
  });
  return { leave: mutate, busy: isPending, error };
}

export function useSignOut(): Entry {
  const { leave } = useLeave();
  return useMemo(
    () => ({ id: 'sign-out', kind: 'action', name: 'Sign out', hint: 'action', run: () => leave() }),
    [leave],
  );
}
