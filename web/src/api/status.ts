import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { StatusReply } from '../../../src/api/contract/status.ts';
import { api } from './client.ts';

/** What is observed now of one environment. */
export const useStatus = (place: { project: string; environment: string }): UseQueryResult<StatusReply> =>
  useQuery({ queryKey: ['status', place], queryFn: ({ signal }) => api.getStatus(place, { signal }) });
