/**
 * `EVENKEEL_CLOUD_METRICS`: how wide intervals of metrics are and how late they are believed to be complete,
 * `<period>/<late>` in ms. Null: nothing is said, or nothing that can be.
 */
export function metricsPace(
  env: Readonly<Record<string, string | undefined>>,
): { periodMs: number; lateMs: number } | null {
  const [periodMs, lateMs] = (env['EVENKEEL_CLOUD_METRICS'] ?? '').split('/').map(Number);
  return periodMs === undefined || lateMs === undefined || !(periodMs > 0) || !(lateMs >= 0)
    ? null
    : { periodMs, lateMs };
}
