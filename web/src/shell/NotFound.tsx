import { Link } from '@tanstack/react-router';
import { Empty } from '../ui/Empty.tsx';

export function NotFound() {
  return (
    <div className="panel">
      <Empty whole title="There is no such page">
        Go to the{' '}
        <Link to="/" className="link">
          overview
        </Link>
        , or press Ctrl K.
      </Empty>
    </div>
  );
}
