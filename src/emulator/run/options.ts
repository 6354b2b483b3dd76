/** How the emulated Cloud Run differs from the real one in patience. Times in ms. */
export interface RunOptions {
  /** How long an instance stays without requests; about 15 minutes on Cloud Run. */
  idleMs: number;
  /** What a program gets at most to listen; its startup probe may allow less. */
  startupMs: number;
  /** Between SIGTERM and SIGKILL; 10 s on Cloud Run. */
  graceMs: number;
  /** How long a request waits for an instance when all are busy. */
  waitMs: number;
  /** How wide the intervals of metrics are; a minute on Cloud Monitoring. */
  metricsStepMs: number;
  /** How long after its interval's end a metric can be read; minutes on Cloud Monitoring. */
  metricsDelayMs: number;
  /** Further variables for every program, such as where the emulated APIs are. */
  env: Readonly<Record<string, string>>;
}

export const usualOptions: RunOptions = {
  idleMs: 60_000,
  startupMs: 240_000,
  graceMs: 10_000,
  waitMs: 10_000,
  metricsStepMs: 60_000,
  metricsDelayMs: 60_000,
  env: {},
};
