import { setMaintenance } from '../../engine/operations/maintenance.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';

export function maintenanceHandlers({ engine }: ApiDeps): Pick<Handlers, 'setMaintenance'> {
  return { setMaintenance: (input, { who }) => setMaintenance(engine, { ...input, by: who.name }) };
}
