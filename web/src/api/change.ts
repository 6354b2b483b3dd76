import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { asProblem } from './problem-error.ts';
import type { Topic } from './touched.ts';

/**
 * Something that changes, and what has to be asked for again afterwards. What was refused for want of a permission has
 * changed meanwhile: who one is is asked for again, so that it is not shown any more.
 */
export function useChange<Input, Reply>(
  ask: (input: Input) => Promise<Reply>,
  { touches, onDone }: { touches: readonly Topic[]; onDone?: (reply: Reply) => void },
): UseMutationResult<Reply, unknown, Input> {
  const queries = useQueryClient();
  return useMutation<Reply, unknown, Input>({
    mutationFn: ask,
    onSuccess(reply) {
      for (const topic of touches) void queries.invalidateQueries({ queryKey: [topic] });
      onDone?.(reply);
    },
    onError(error) {
      if (asProblem(error).code === 'forbidden') void queries.invalidateQueries({ queryKey: ['session'] });
    },
  });
}
