import { useQuery } from '@tanstack/react-query';
import { key } from '@/api/keys';
import type { SentRequest } from '@/api/types';
import { previewEndpoint } from '@/api/webhooks';
import { CopyButton } from '@/ui/copy';
import { Tabs } from '@/ui/tabs';
import { headerNamesOf, snippetsFor } from '@/words/verification';

/** How a receiver checks the signature; the header's name is that of a request prepared for this endpoint. */
export function Verification({ endpointId }: { endpointId: string }) {
  const { data } = useQuery({
    queryKey: key('webhooks', endpointId, 'preview'),
    queryFn: () => previewEndpoint(endpointId),
    staleTime: Infinity,
    retry: false,
  });
  const requests = (data?.requests ?? []) as unknown as SentRequest[];
  const names = headerNamesOf(requests[0]?.headers ?? []);
  return (
    <Tabs
      label="Language"
      tabs={snippetsFor(names).map((snippet) => ({
        id: snippet.id,
        label: snippet.label,
        content: (
          <>
            <pre
              tabIndex={0}
              aria-label={`Verification in ${snippet.label}`}
              className="bg-bg overflow-x-auto rounded-md border p-3 font-mono text-xs leading-5"
            >
              {snippet.code}
            </pre>
            <CopyButton text={snippet.code} label="Copy" className="mt-2" />
          </>
        ),
      }))}
    />
  );
}
