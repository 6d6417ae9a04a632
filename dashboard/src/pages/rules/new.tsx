import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { idempotencyKey } from '@/api/client';
import { ApiProblem } from '@/api/problem';
import { createRule, useRuleMutation } from '@/api/rules';
import { useMay } from '@/api/session';
import type { NewRule } from '@/api/types';
import { Page } from '@/ui/page';
import { Note } from '@/ui/states';
import { toast } from '@/ui/toast';
import { emptyDraft } from './draft';
import { RuleEditor } from './editor';

const route = getRouteApi('/rules/new');

export function NewRulePage() {
  const { endpoint, type } = route.useSearch();
  const navigate = route.useNavigate();
  const canEdit = useMay('editor');
  // The same for every try of this form: a lost answer does not make two rules.
  const [idempotency, renew] = useState(idempotencyKey);
  const create = useRuleMutation((rule: NewRule) => createRule(rule, idempotency));
  return (
    <Page
      title="New rule"
      above={
        <Link to="/rules" className="hover:underline">
          Rules
        </Link>
      }
      subtitle="Say when alerts are sent, and see at once when they would have been."
    >
      {!canEdit && (
        <Note tone="waiting">
          Your key may look and not change. You can try a rule on the past here; saving it needs the
          role editor.
        </Note>
      )}
      <RuleEditor
        initial={{
          ...emptyDraft,
          endpointId: endpoint ?? '',
          eventType: type ?? emptyDraft.eventType,
        }}
        saveLabel="Add rule"
        isBusy={create.isPending}
        error={create.error}
        onCancel={() => void navigate({ to: '/rules', search: {} })}
        onSave={(rule) =>
          create.mutate(rule, {
            onSuccess: (made) => {
              toast.done(`${made.name} is added`);
              void navigate({ to: '/rules', search: {} });
            },
            onError: (error) => error instanceof ApiProblem && renew(idempotencyKey()),
          })
        }
      />
    </Page>
  );
}
