import type { KindDriver, Seen } from '../kind-driver.ts';
import type { Policy } from '../policy.ts';
import { policyIn } from './role.ts';

const ALL = 'allServices';
const READS = ['ADMIN_READ', 'DATA_READ'];
const WRITES = ['DATA_WRITE'];
const NAME = 'project';

function typesIn(policy: Policy): string[] {
  const all = policy.auditConfigs?.find(({ service }) => service === ALL);
  return (all?.auditLogConfigs ?? []).flatMap(({ logType }) => logType ?? []);
}

/** Who does what is always logged for changes of settings; reading and writing of data only when asked for. */
function set(policy: Policy, { reads, writes }: { reads: boolean; writes: boolean }): boolean {
  const kept = policy.auditConfigs?.find(({ service }) => service === ALL)?.auditLogConfigs ?? [];
  const wanted = [...(reads ? READS : []), ...(writes ? WRITES : [])];
  const had = typesIn(policy);
  if (wanted.length === had.length && wanted.every((type) => had.includes(type))) return false;
  // Members who are exempt stay so.
  const auditLogConfigs = wanted.map((logType) => kept.find((one) => one.logType === logType) ?? { logType });
  const others = (policy.auditConfigs ?? []).filter(({ service }) => service !== ALL);
  policy.auditConfigs = auditLogConfigs.length === 0 ? others : [...others, { service: ALL, auditLogConfigs }];
  return true;
}

function seenOf(types: readonly string[], name: string): Seen<'audit-logs'> {
  const attributes = {
    reads: READS.every((type) => types.includes(type)),
    writes: WRITES.every((type) => types.includes(type)),
  };
  return { kind: 'audit-logs', name, location: null, attributes, labels: {}, state: 'ready', createdAt: null };
}

export const auditLogs: KindDriver<'audit-logs'> = {
  async observe(sight) {
    const types = typesIn(await policyIn(sight));
    return types.length === 0 ? [] : [seenOf(types, NAME)];
  },
  async create(wanted, { google, signal, say }) {
    say('setting');
    let types: string[] = [];
    await google.policy.edit((policy) => {
      const changed = set(policy, wanted.attributes);
      types = typesIn(policy);
      return changed;
    }, signal);
    return seenOf(types, wanted.name);
  },
  update: (wanted, _seen, work) => auditLogs.create(wanted, work),
  async remove(_gone, { google, signal, say }) {
    say('switching off');
    await google.policy.edit((policy) => set(policy, { reads: false, writes: false }), signal);
  },
};
