import type { Address } from '../resource.ts';
import { type Hcl, raw, set } from './hcl.ts';
import type { LocalNames } from './local-names.ts';

export interface Scope {
  cloudProject: string;
  region: string;
  locals: LocalNames;
}

export const PROJECT = set('project', raw('var.project'));

/** `google_storage_bucket.uploads.name`, or the name as it is when the export has no such resource. */
export function attributeOf(address: Address, attribute: string, otherwise: string, { locals }: Scope): Hcl {
  const local = locals.get(address);
  return local === undefined ? otherwise : raw(`${local}.${attribute}`);
}
