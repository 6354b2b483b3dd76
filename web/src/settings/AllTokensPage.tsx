import { useQuery } from '@tanstack/react-query';
import { api } from '../api/client.ts';
import { Empty } from '../ui/Empty.tsx';
import { useTitle } from '../ui/title.ts';
import { Loaded } from './Loaded.tsx';
import { NoOrganization } from './NoOrganization.tsx';
import { useOrganization } from './organization.tsx';
import { Tokens } from './Tokens.tsx';

/** Every token that can do something in an organization, for whoever looks after them. */
export function AllTokensPage() {
  useTitle('All tokens');
  const organization = useOrganization();
  return organization === null ? <NoOrganization /> : <All key={organization.id} {...organization} />;
}

function All({ id, name }: { id: string; name: string }) {
  const tokens = useQuery({
    queryKey: ['tokens', null, id],
    queryFn: ({ signal }) => api.listOrganizationTokens({ organization: id }, { signal }),
  });
  return (
    <>
      <div>
        <h1>All tokens</h1>
        <p className="muted">Those that can do something in {name}, whoever they belong to.</p>
      </div>
      <Loaded query={tokens}>
        {(data) => (
          <section className="panel" aria-label="All tokens">
            {data.tokens.length === 0 ? (
              <Empty title="There are no tokens">People make them for themselves, in their own settings.</Empty>
            ) : (
              <Tokens tokens={data.tokens} owners />
            )}
          </section>
        )}
      </Loaded>
    </>
  );
}
