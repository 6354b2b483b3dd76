import { useMemo } from 'react';
import type { SignedInView } from '../../../src/api/contract/session.ts';
import { useSession, useWho } from './session.ts';

export type Permission = SignedInView['server'][number];

export interface Place {
  project: string;
  environment: string;
}

/**
 * What one may do, looked up in what the controller has worked out. Pages hide by it what would be refused; the controller
 * refuses whatever they show.
 */
export interface May {
  /** False: the session has ended, and what was seen stays. Nothing is for want of a role then. */
  readonly signedIn: boolean;
  /** In an environment. */
  may(permission: Permission, place: Place): boolean;
  /** In a whole organization; its id. */
  mayIn(permission: Permission, organization: string): boolean;
  mayServer(permission: Permission): boolean;
  /** In some environment or organization, or on the server. */
  maySomewhere(permission: Permission): boolean;
}

export function useMay(): May {
  const who = useWho();
  const ended = useSession().data?.view.state !== 'signed-in';
  return useMemo(() => {
    // Once the session has ended what was seen stays, and nothing can be done.
    const has = (permissions: readonly Permission[], permission: Permission): boolean =>
      permissions.includes(permission) && (!ended || permission.endsWith(':read'));
    const { server = [], organizations = [], environments = [] } = who ?? {};
    return {
      signedIn: !ended,
      may: (permission, { project, environment }) =>
        environments.some(
          (each) => each.project === project && each.environment === environment && has(each.permissions, permission),
        ),
      mayIn: (permission, organization) =>
        organizations.some(({ id, permissions }) => id === organization && has(permissions, permission)),
      mayServer: (permission) => has(server, permission),
      maySomewhere: (permission) =>
        has(server, permission) ||
        [...organizations, ...environments].some(({ permissions }) => has(permissions, permission)),
    };
  }, [who, ended]);
}
