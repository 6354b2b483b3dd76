import type { DraftService } from '../draft.ts';
import { isMap, namesOf } from './model.ts';
import type { ComposeContext, Raw } from './model.ts';

/** Whom a service waits for; `completed` are jobs that must have ended well. */
export interface Waits {
  after: string[];
  completed: string[];
}

export function waitsOf(raw: Raw): Waits {
  const written = raw['depends_on'];
  const links = namesOf(raw['links']).map((link) => link.split(':')[0] ?? link);
  const names = [...new Set([...namesOf(written), ...links])];
  const completed = names.filter((name) => {
    const condition = isMap(written) ? written[name] : undefined;
    return isMap(condition) && condition['condition'] === 'service_completed_successfully';
  });
  return { after: names.filter((name) => !completed.includes(name)), completed };
}

/** `http://api:3000/v1` -> `${services.api.url}/v1`; other ways to name a service are pointed out. */
export function linkServices(
  draft: DraftService,
  drafts: ReadonlyMap<string, DraftService>,
  names: readonly string[],
  { note }: ComposeContext,
): Record<string, string> {
  const linked = (value: string): string =>
    value.replaceAll(/https?:\/\/([\w.-]+)(?::\d+)?(?=\/|$|[\s,])/g, (all, host: string) => {
      const service = drafts.get(host);
      return service === undefined || service.run === null ? all : `\${services.${service.name}.url}`;
    });
  return Object.fromEntries(
    Object.entries(draft.env).map(([name, value]) => {
      const now = linked(value);
      const host = names.find((each) =>
        new RegExp(String.raw`(^|//|[@,:-])${escaped(each)}(:\d+)?(/|,|}|$)`).test(now),
      );
      // A text such as `web` is often no host.
      if (host !== undefined && (/HOST|URL|URI|ADDR|SERVER|BROKER|DSN|ENDPOINT/i.test(name) || now.includes('//'))) {
        const instead = drafts.has(host)
          ? `use \${services.${drafts.get(host)?.name ?? host}.url}`
          : 'give the address where it runs';
        note(`\`${name}\` of \`${draft.name}\` names the host ${host}, which is not known here: ${instead}`);
      }
      return [name, now];
    }),
  );
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
