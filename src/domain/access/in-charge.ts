import type { Person } from './identity.ts';
import { may } from './may.ts';
import { levelOf, PERMISSIONS } from './permissions.ts';

/** Whether somebody may do all in an organization that anybody could be allowed there, as its admins may. */
export function mayDoEverything(who: Person, organization: string): boolean {
  return PERMISSIONS.filter((each) => levelOf(each) !== 'server').every(
    (each) => may(who, each, { on: 'organization', organization }).allowed,
  );
}
