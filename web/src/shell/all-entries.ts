import type { Overview } from '../../../src/api/contract/overview.ts';
import { serviceHref } from '../service/href.ts';
import type { May } from '../api/may.ts';
import { isFor, SETTINGS } from '../settings/pages.ts';
import type { Entry } from './entries.ts';

/** Every page there is, from what was seen last. */
export function entriesOf(overview: Overview | undefined, may: May): Entry[] {
  const { services = [], rollouts = [] } = overview ?? {};
  return [
    { id: 'overview', kind: 'page', name: 'Overview', hint: 'page', href: '/' },
    { id: 'rollouts', kind: 'page', name: 'Rollouts', hint: 'page', href: '/rollouts' },
    { id: 'environments', kind: 'page', name: 'Environments', hint: 'page, side by side', href: '/environments' },
    { id: 'objectives', kind: 'page', name: 'Objectives', hint: 'page, what is a warning', href: '/objectives' },
    ...(may.maySomewhere('audit:read') || may.mayServer('server:read')
      ? [{ id: 'audit', kind: 'page', name: 'Audit', hint: 'page, who did what', href: '/audit' } as const]
      : []),
    { id: 'reference', kind: 'page', name: 'API', hint: 'page, every operation with examples', href: '/reference' },
    ...SETTINGS.filter(({ to }) => isFor(to, may)).map(({ to, name, hint }): Entry => ({
      id: to,
      kind: 'page',
      name,
      hint: `settings, ${hint}`,
      href: to,
    })),
    ...rollouts.map(({ id, project, environment, phase, releases }): Entry => ({
      id,
      kind: 'page',
      name: `Rollout of ${releases.join(', ') || id}`,
      hint: `${project} / ${environment}, ${phase}`,
      href: `/rollouts/${encodeURIComponent(id)}`,
    })),
    ...services.map((each): Entry => ({
      id: JSON.stringify([each.project, each.environment, each.service]),
      kind: 'page',
      name: each.service,
      hint: `service, ${each.project} / ${each.environment}`,
      href: serviceHref(each),
    })),
    ...services
      .filter((each) => may.may('logs:read', each))
      .map((each): Entry => ({
        id: JSON.stringify([each.project, each.environment, each.service, 'logs']),
        kind: 'page',
        name: `Logs of ${each.service}`,
        hint: `${each.project} / ${each.environment}`,
        href: `${serviceHref(each)}#logs`,
      })),
  ];
}
