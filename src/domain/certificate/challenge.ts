import type { ChallengeType } from './acme.ts';

export interface ChallengeFacts {
  /** What the issuer offers for the host. */
  offered: readonly string[];
  /** What evenkeel.yaml says, or null. */
  wanted: ChallengeType | null;
  /** Where the edge serves the host in plain; null: nowhere. */
  plainPort: number | null;
  /** Where the edge answers TLS; null: nowhere. */
  tlsPort: number | null;
  /** By which the last try failed, or null. */
  failed: ChallengeType | null;
}

export type ChallengeChoice = { type: ChallengeType; reason: string } | { type: null; reason: string };

/** Issuers ask at these, whatever the edge listens on; others must be led to the edge by a router or firewall. */
const HTTP_PORT = 80;
const TLS_PORT = 443;

/**
 * How the host is proven to be ours. What the edge listens on is all that is known here: whether the issuer's own ports
 * lead there shows only when it asks, so after a failure the other way is tried.
 */
export function chooseChallenge(facts: ChallengeFacts): ChallengeChoice {
  const { offered, wanted, plainPort, tlsPort, failed } = facts;
  const ways: { type: ChallengeType; port: number | null; from: number }[] = [
    { type: 'http-01', port: plainPort, from: HTTP_PORT },
    { type: 'tls-alpn-01', port: tlsPort, from: TLS_PORT },
  ];
  const open = ways.flatMap((way) => (way.port === null ? [] : [{ ...way, port: way.port }]));
  const asked = open.filter(({ type }) => wanted === null || type === wanted);
  const usable = asked.filter(({ type }) => offered.includes(type));
  if (usable.length === 0) return { type: null, reason: none(facts, asked.length > 0) };
  const direct = usable.find(({ port, from }) => port === from);
  const first = direct ?? usable[0];
  const other = usable.find(({ type }) => type !== first?.type);
  const chosen = first?.type === failed && other !== undefined ? other : first;
  if (chosen === undefined) return { type: null, reason: none(facts, true) };
  const { type, port, from } = chosen;
  const lead =
    port === from ? `the edge is at port ${from} itself` : `port ${from} of the host must lead to port ${port} here`;
  if (wanted !== null) return { type, reason: `evenkeel.yaml says so; ${lead}` };
  if (chosen !== first) return { type, reason: `${failed} has just failed; ${lead}` };
  return { type, reason: lead };
}

function none({ offered, wanted, plainPort, tlsPort }: ChallengeFacts, isOpen: boolean): string {
  if (plainPort === null && tlsPort === null) return 'the edge serves the host neither in plain nor over TLS';
  if (!isOpen) return `the edge has no port open for ${wanted ?? 'any challenge'}`;
  return `the issuer offers ${offered.length === 0 ? 'nothing' : offered.join(', ')}, and evenkeel answers ${wanted ?? 'http-01 and tls-alpn-01'}`;
}
