/** The mark of evenkeel. */
export const Keel = () => (
  <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="var(--accent)" />
    <path d="M5 15h22c0 6-4.5 10-11 10S5 21 5 15z" fill="var(--on-accent)" />
    <path d="M16 6v7" stroke="var(--on-accent)" strokeWidth="2.5" strokeLinecap="round" />
  </svg>
);
