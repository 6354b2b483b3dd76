import type { Api } from '../core/api.ts';
import { bucketHandlers } from './storage-buckets.ts';
import { objectHandlers } from './storage-objects.ts';

export const storage: Api = {
  document: 'storage.v1',
  errors: 'reasons',
  service: null,
  handlers: { ...bucketHandlers, ...objectHandlers },
};
