/** What a token of the present theme says, as a canvas needs it. */
export const colour = (token: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(token).trim();

/** How both axes of a chart look. */
export const axisStyle = () => ({
  stroke: colour('--muted'),
  grid: { stroke: colour('--line'), width: 1 },
  ticks: { show: false },
  font: `11px ${colour('--sans')}`,
});
