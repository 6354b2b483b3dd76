import type { IncomingMessage } from 'node:http';
import { GoogleError } from '../core/google-error.ts';
import type { Caller } from '../core/identities.ts';
import type { Project } from '../core/projects.ts';
import type { World } from '../core/world.ts';
import type { JsonObject } from '../json.ts';
import type { Target } from './target.ts';

/** Whose token a request bears. Throws 401 as Google shapes it. */
export function authenticate(
  request: IncomingMessage,
  target: Target,
  world: World,
  { service, method }: { service: string; method: string },
): Caller {
  const [, bearer] = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  const token = bearer ?? target.query.get('access_token') ?? target.query.get('oauth_token');
  const caller = token === null ? null : world.identities.callerOf(token);
  if (caller !== null) return caller;
  const missing = token === null;
  throw new GoogleError(
    'UNAUTHENTICATED',
    missing
      ? 'Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.'
      : 'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    {
      reason: missing ? 'required' : 'authError',
      headers: {
        'www-authenticate': missing
          ? 'Bearer realm="https://accounts.google.com/"'
          : 'Bearer realm="https://accounts.google.com/", error="invalid_token"',
      },
      details: [info(missing ? 'CREDENTIALS_MISSING' : 'ACCESS_TOKEN_TYPE_UNSUPPORTED', { service, method })],
    },
  );
}

/** Throws 403 as Google shapes it while the API is off in the project. */
export function requireService(world: World, project: Project, service: string, method: string): void {
  if (world.projects.isOn(project, service)) return;
  const consumer = `projects/${project.number}`;
  const url = `https://console.developers.google.com/apis/api/${service}/overview?project=${project.number}`;
  throw new GoogleError(
    'PERMISSION_DENIED',
    `${service} has not been used in project ${project.number} before or it is disabled. Enable it by visiting ${url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.`,
    {
      reason: 'accessNotConfigured',
      details: [
        info('SERVICE_DISABLED', {
          service,
          consumer,
          method,
          serviceTitle: service,
          containerInfo: project.number,
          activationUrl: url,
        }),
        {
          '@type': 'type.googleapis.com/google.rpc.Help',
          links: [{ description: 'Google developers console API activation', url }],
        },
      ],
    },
  );
}

const info = (reason: string, metadata: JsonObject): JsonObject => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain: 'googleapis.com',
  metadata,
});
