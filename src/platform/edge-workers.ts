/** Far beyond what the edge of one machine needs; each costs the memory of a process. */
const MOST = 16;

/** How many workers of the edge EVENKEEL_EDGE_WORKERS wants; one without it. */
export function edgeWorkers(env: NodeJS.ProcessEnv): { ok: true; count: number } | { ok: false; why: string } {
  const text = env['EVENKEEL_EDGE_WORKERS'] ?? '';
  const count = text === '' ? 1 : Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MOST) return { ok: true, count };
  return { ok: false, why: `EVENKEEL_EDGE_WORKERS is ${JSON.stringify(text)}, and may be 1 to ${MOST}` };
}
