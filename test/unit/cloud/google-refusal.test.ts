import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../../src/platform/google/refusal.ts';

const asked = { method: 'POST', host: 'run.googleapis.com', path: '/v2/projects/p/locations/l/services' };

const info = (reason: string, metadata: Record<string, string> = {}) => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason,
  domain: 'googleapis.com',
  metadata,
});

const modern = (code: number, status: string, message: string, ...details: object[]): string =>
  JSON.stringify({ error: { code, status, message, details } });
const older = (code: number, reason: string, message: string): string =>
  JSON.stringify({ error: { code, message, errors: [{ domain: 'global', reason, message }] } });

test('a page that is answered is told as a person would read it', () => {
  const page =
    '<!DOCTYPE html><html><head><title>403 Forbidden</title><style>a{}</style></head><body><h1>Error: Forbidden</h1>\n<p>no token</p></body></html>';
  expect(refusalOf(asked, 403, page).why).toBe('403: Error: Forbidden no token');
});

describe('what Google refuses, in words of ours', () => {
  test.each([
    [401, modern(401, 'UNAUTHENTICATED', 'invalid'), 'cloud-credentials', /gcloud auth application-default login/],
    [
      403,
      modern(403, 'PERMISSION_DENIED', 'off', info('SERVICE_DISABLED', { service: 'run.googleapis.com' })),
      'cloud-api-disabled',
      /evenkeel cloud enable/,
    ],
    [
      403,
      older(403, 'accessNotConfigured', 'Cloud SQL Admin API has not been used in project 1 before'),
      'cloud-api-disabled',
      /evenkeel cloud enable/,
    ],
    [
      403,
      modern(403, 'PERMISSION_DENIED', 'Cloud Run Admin API has not been used in project 1 before or it is disabled.'),
      'cloud-api-disabled',
      /evenkeel cloud enable/,
    ],
    [
      403,
      modern(403, 'PERMISSION_DENIED', 'denied', info('IAM_PERMISSION_DENIED', { permission: 'run.services.create' })),
      'cloud-permission',
      /roles\/run\.admin/,
    ],
    [
      403,
      modern(403, 'PERMISSION_DENIED', "Permission 'secretmanager.secrets.create' denied on resource"),
      'cloud-permission',
      /roles\/secretmanager\.admin/,
    ],
    [
      403,
      older(403, 'forbidden', 'a@b.c does not have storage.buckets.create access to the project'),
      'cloud-permission',
      /roles\/storage\.admin/,
    ],
    [403, modern(403, 'PERMISSION_DENIED', 'x', info('BILLING_DISABLED')), 'cloud-billing-off', /linkedaccount/],
    [
      400,
      modern(400, 'FAILED_PRECONDITION', 'Billing account for project 1 is not found. Billing must be enabled'),
      'cloud-billing-off',
      /linkedaccount/,
    ],
    [429, modern(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded'), 'cloud-quota', /quotas/],
    [403, older(403, 'quotaExceeded', 'Quota exceeded'), 'cloud-quota', /quotas/],
    [404, modern(404, 'NOT_FOUND', 'no'), 'cloud-not-found', /./],
    [409, modern(409, 'ALREADY_EXISTS', 'there'), 'cloud-conflict', /again/],
    [500, '<html>oops</html>', 'cloud-unavailable', /again/],
    [400, modern(400, 'INVALID_ARGUMENT', 'bad tier'), 'cloud-refused', /./],
  ])('%i %s', (status, body, code, next) => {
    const refusal = refusalOf(asked, status, body);
    expect(refusal).toMatchObject({ code, status, exit: 1 });
    expect(refusal.next).toMatch(next);
  });

  test('says which permission is missing, and where it was asked', () => {
    const body = modern(
      403,
      'PERMISSION_DENIED',
      'denied',
      info('IAM_PERMISSION_DENIED', { permission: 'run.services.create' }),
    );
    const refusal = refusalOf(asked, 403, body);
    expect(refusal.message).toContain('run.services.create');
    expect(refusal.where).toBe('POST https://run.googleapis.com/v2/projects/p/locations/l/services');
  });
});
