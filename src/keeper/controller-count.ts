/** More than this would only ask the database more often who acts. */
const MOST = 5;

/** How many controllers EVENKEEL_CONTROLLERS wants; one without it. Several need a store that says which of them acts. */
export function controllerCount(env: NodeJS.ProcessEnv): { ok: true; count: number } | { ok: false; why: string } {
  const text = env['EVENKEEL_CONTROLLERS'] ?? '';
  const count = text === '' ? 1 : Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MOST)
    return { ok: false, why: `EVENKEEL_CONTROLLERS is ${JSON.stringify(text)}, and may be 1 to ${MOST}` };
  if (count > 1 && (env['EVENKEEL_DATABASE_URL'] ?? '') === '')
    return {
      ok: false,
      why: `EVENKEEL_CONTROLLERS is ${count}, and several controllers need their store in Postgres: set EVENKEEL_DATABASE_URL, or unset EVENKEEL_CONTROLLERS`,
    };
  return { ok: true, count };
}
