import { QueryClient } from '@tanstack/react-query';
import { ProblemError } from './problem-error.ts';

/** What was seen last stays on the screen while the controller is away. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1_000,
      gcTime: 30 * 60_000,
      networkMode: 'always',
      retry: (count, error) => count < 2 && error instanceof ProblemError && error.retryable,
      retryDelay: (attempt) => 300 * 2 ** attempt,
    },
    mutations: { networkMode: 'always', retry: false },
  },
});
