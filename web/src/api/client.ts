import { apiClient } from '../../../src/api/contract/client.ts';
import { fetchTransport } from './fetch-transport.ts';

export const api = apiClient(fetchTransport);
