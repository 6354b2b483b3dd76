import { type CountSetting, countSetting } from '../platform/count-setting.ts';

/** More than this would only ask the database more often who acts. */
const MOST = 5;

/** How many controllers EVENKEEL_CONTROLLERS wants; one without it. Several need a store that says which of them acts. */
export function controllerCount(env: NodeJS.ProcessEnv): CountSetting {
  const wanted = countSetting(env, 'EVENKEEL_CONTROLLERS', MOST);
  if (wanted.ok && wanted.count > 1 && (env['EVENKEEL_DATABASE_URL'] ?? '') === '')
    return {
      ok: false,
      why: `EVENKEEL_CONTROLLERS is ${wanted.count}, and several controllers need their store in Postgres: set EVENKEEL_DATABASE_URL, or unset EVENKEEL_CONTROLLERS`,
    };
  return wanted;
}
