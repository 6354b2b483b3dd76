import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { Overview } from '../../../src/api/contract/overview.ts';
import { api } from './client.ts';

/** How everything is that one may see, or one environment alone. */
export const useOverview = (place?: { project: string; environment: string }): UseQueryResult<Overview> =>
  useQuery({
    queryKey: place === undefined ? ['overview'] : ['overview', place],
    queryFn: ({ signal }) => api.getOverview(place ?? {}, { signal }),
  });
