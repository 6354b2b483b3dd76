import type { RunService } from '../../domain/cloud/run/api.ts';
import type { ApplyReply, EdgeState } from '../../domain/traffic/protocol.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ProbeReply, ProbeRequest } from '../../ports/traffic.ts';

export const stateOf = (services: EdgeState['services']): EdgeState => ({ epoch: 'cloud-run', pid: 0, services });

export const tooOld = (known: number, fence: number): NonNullable<ApplyReply['refused']> => ({
  reason: 'fence',
  detail: `a controller with fence ${known} has spoken; this one has ${fence}`,
});

/**
 * Why what came from a service's own address is no answer of its release; null: it is one. Whom everybody may ask is asked
 * as anybody. Google answers itself, too, while an address is not known everywhere; the release's instance was well at the
 * same path a moment ago, so there it has to say so again.
 */
export function whyNoAnswer(
  { method, path }: ProbeRequest,
  { status, body }: Omit<ProbeReply, 'release'>,
  { url, open, health }: { url: string; open: boolean; health: string | null },
): string | null {
  const shut = open && (status === 401 || status === 403);
  const ill = path === health && (status < 200 || status >= 300);
  if (!shut && !ill) return null;
  const said = body.trim().split('\n')[0]?.slice(0, 200) ?? '';
  return `${method} ${url}${path} answered ${status}${said === '' ? '' : `: ${said}`}`;
}

/** Why a revision has no address, with what Cloud Run says where it has given up. */
export function noAddress({ terminalCondition, reconciling }: RunService): string {
  const given = reconciling !== true && terminalCondition?.state === 'CONDITION_FAILED';
  return `its address is not known yet${given ? `: ${terminalCondition.message ?? 'Cloud Run does not say why'}` : ''}`;
}

export const noAnswer = ({ method, path, of }: ProbeRequest, why: string): EvenkeelError =>
  new EvenkeelError({
    code: 'probe-failed',
    what: `no answer to ${method} ${path}${of === undefined ? '' : ` of ${of.service}`} on Cloud Run`,
    why,
    retryable: true,
    exit: 2,
  });
