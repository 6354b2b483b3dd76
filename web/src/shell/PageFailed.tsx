import type { ErrorComponentProps } from '@tanstack/react-router';
import { Problem } from '../ui/Problem.tsx';

/** A page that could not be shown; the rest goes on. */
export function PageFailed({ error }: ErrorComponentProps) {
  return (
    <div className="stack">
      <h1>This page could not be shown</h1>
      <Problem error={error} retry={() => location.reload()} />
    </div>
  );
}
