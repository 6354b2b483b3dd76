import { Empty } from '../ui/Empty.tsx';

export const NoOrganization = () => (
  <div className="panel">
    <Empty whole title="You are in no organization yet">
      An admin of one can invite you, by your sign-in name.
    </Empty>
  </div>
);
