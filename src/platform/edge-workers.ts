import { type CountSetting, countSetting } from './count-setting.ts';

/** Far beyond what the edge of one machine needs; each costs the memory of a process. */
const MOST = 16;

/** How many workers of the edge EVENKEEL_EDGE_WORKERS wants; one without it. */
export const edgeWorkers = (env: NodeJS.ProcessEnv): CountSetting => countSetting(env, 'EVENKEEL_EDGE_WORKERS', MOST);
