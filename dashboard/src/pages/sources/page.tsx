/** Where events come from without being posted here: platforms that are watched, and webhooks in. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, Radar } from 'lucide-react';
import { useState } from 'react';
import { key } from '@/api/keys';
import { deleteSource, sourcesQuery } from '@/api/operators';
import { useMay } from '@/api/session';
import type { Source } from '@/api/types';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { Page } from '@/ui/page';
import { RoleNote } from '@/ui/role-note';
import { Empty, Failure, Skeleton } from '@/ui/states';
import { toast } from '@/ui/toast';
import { SourceCard } from './card';
import { MakeSource } from './make';

export function SourcesPage() {
  const { data, error, refetch } = useQuery(sourcesQuery());
  const [isMaking, setMaking] = useState(false);
  const [deleting, setDeleting] = useState<Source | null>(null);
  const canEdit = useMay('editor');
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: (id: string) => deleteSource(id),
    onSuccess: () => toast.done('The source is deleted'),
    onError: toast.failed,
    onSettled: async () => {
      setDeleting(null);
      await client.invalidateQueries({ queryKey: key('sources') });
    },
  });
  const sources = data?.data ?? [];
  const make = canEdit ? (
    <Button look="primary" onClick={() => setMaking(true)}>
      <Plus /> Add source
    </Button>
  ) : (
    <RoleNote role="editor" what="Adding a source" />
  );
  return (
    <Page
      title="Sources"
      icon={Radar}
      subtitle="Webhooks of other programs, and platforms that are watched: their runs become events without an emitter."
      actions={make}
    >
      {error && !data ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : sources.length === 0 ? (
        <Empty title="No sources" icon={<Radar />} action={make}>
          Events come in as they are posted. Add a source, and what GitHub, GitLab or any other
          program posts becomes events. Set ALERTS_EXOSPHERE_URL on the host, and the runs of an
          Exosphere do by themselves.
        </Empty>
      ) : (
        <ul className="space-y-4">
          {sources.map((source) => (
            <SourceCard
              key={source.id}
              source={source}
              onDelete={canEdit && source.etag ? () => setDeleting(source) : undefined}
            />
          ))}
        </ul>
      )}
      {isMaking && <MakeSource onClose={() => setMaking(false)} />}
      <Confirm
        title={`Delete ${deleting?.name ?? ''}?`}
        consequence="What is posted to it is refused from now on. The events that it has made stay."
        action="Delete source"
        isOpen={deleting !== null}
        isBusy={remove.isPending}
        onClose={() => setDeleting(null)}
        onConfirm={() => deleting && remove.mutate(deleting.id)}
      />
    </Page>
  );
}
