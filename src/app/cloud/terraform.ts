import {
  exportTerraform,
  type TerraformEnvironment,
  type TerraformExport,
} from '../../domain/cloud/terraform/export.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import { type DeskDeps, LOOK_MS, scopeOf } from './desk-deps.ts';
import { desiredHere } from './look.ts';

/** What of an environment goes into Terraform: what the file says, and what is there and is taken over. */
export async function terraformPart(deps: DeskDeps, signal: AbortSignal): Promise<TerraformEnvironment> {
  const { projectNumber } = await deps.cloud.greet(signal);
  const { desired, sight } = await desiredHere(deps, projectNumber, { deadlineMs: LOOK_MS.plan, signal });
  const [blind] = sight.unknown;
  if (blind !== undefined)
    throw new EvenkeelError({
      code: 'cloud-blind',
      what: `nothing was written: ${sight.unknown.map(({ kind }) => kind).join(', ')} could not be looked at`,
      why: `${blind.problem.message}; Terraform would make a second one of what is there`,
      next: blind.problem.next ?? 'try again',
      retryable: blind.problem.retryable,
    });
  return { ...scopeOf(deps), config: deps.config, desired, observed: sight.observed };
}

export const terraformOf = (parts: readonly TerraformEnvironment[]): TerraformExport => exportTerraform(parts);
