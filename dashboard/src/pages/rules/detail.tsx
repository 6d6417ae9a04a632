import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiProblem, isGone } from '@/api/problem';
import { changeRule, deleteRule, ruleQuery, useRuleMutation } from '@/api/rules';
import { useMay } from '@/api/session';
import type { NewRule, Rule } from '@/api/types';
import { Id } from '@/ui/copy';
import { Page } from '@/ui/page';
import { Offered } from '@/ui/role-note';
import { Failure, Note, Skeleton } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { toast } from '@/ui/toast';
import { Conflict } from '../conflict';
import { DeleteButton, SwitchButton } from '../switching';
import { draftOf } from './draft';
import { RuleEditor } from './editor';
import { Fired } from './fired';
import { Sentence } from './sentence';
import { WhyOff } from './why-off';
import { useEndpointNames } from '@/api/webhooks';
import { ruleSentence } from '@/words/rule';

const route = getRouteApi('/rules/$id');

export function RulePage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(ruleQuery(id));
  if (error && (!data || isGone(error)))
    return <Failure error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton />;
  return <Detail key={id} rule={data.value} etag={data.etag} />;
}

function Detail({ rule, etag }: { rule: Rule; etag: string | null }) {
  const canEdit = useMay('editor');
  const navigate = route.useNavigate();
  const client = useQueryClient();
  // The editor holds what the person began with; a refresh behind it changes neither it nor its tag.
  const [base, setBase] = useState({ rule, etag, edition: 0 });
  const save = useRuleMutation(({ draft, tag }: { draft: NewRule; tag: string | null }) => {
    const { is_active: _, ...fields } = draft;
    return changeRule(rule.id, fields as never, tag);
  });
  const send = (draft: NewRule, tag: string | null) =>
    save.mutate(
      { draft, tag },
      {
        onSuccess: ({ value, etag: next }) => {
          setBase((now) => ({ rule: value, etag: next, edition: now.edition }));
          toast.done('Saved');
        },
      },
    );
  const takeTheirs = async () => {
    const newest = await client.fetchQuery({ ...ruleQuery(rule.id), staleTime: 0 });
    save.reset();
    setBase((now) => ({ rule: newest.value, etag: newest.etag, edition: now.edition + 1 }));
  };
  const isConflict = save.error instanceof ApiProblem && save.error.status === 412;
  return (
    <Page
      title={rule.name}
      above={
        <Link to="/rules" className="hover:underline">
          Rules
        </Link>
      }
      subtitle={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          {rule.is_active ? (
            <Badge tone="success">On</Badge>
          ) : (
            <Badge tone={rule.disabled_reason ? 'danger' : 'muted'}>Off</Badge>
          )}
          <Id id={rule.id} />
          <Fired rule={rule} />
          <Link to="/deliveries" search={{ rule: rule.id }} className="text-link hover:underline">
            Its deliveries
          </Link>
        </span>
      }
      actions={
        <Offered role="editor" what="Changing a rule">
          <SwitchButton
            part="rules"
            name={rule.name}
            isOn={rule.is_active}
            change={(isActive) => changeRule(rule.id, { is_active: isActive })}
            // Switching is not a change of what is edited; but somebody else's may have come before it.
            onChanged={({ value, etag: next }) =>
              setBase((now) =>
                writtenOf(value) === writtenOf(now.rule) ? { ...now, etag: next } : now,
              )
            }
          />
          <DeleteButton
            part="rules"
            noun="rule"
            name={rule.name}
            consequence="Deletes the rule; it sends no more alerts. What it sent stays on record. To stop it for a while, switch it off."
            remove={() => deleteRule(rule.id)}
            onDeleted={() => void navigate({ to: '/rules', search: {} })}
          />
        </Offered>
      }
    >
      <WhyOff rule={rule} />
      {rule.last_condition_error && (
        <Note tone="waiting">
          Its condition failed on an event: <Foreign text={rule.last_condition_error} />
        </Note>
      )}
      <RuleEditor
        key={base.edition}
        initial={draftOf(base.rule)}
        kept={base.rule.trigger}
        saveLabel="Save"
        isBusy={save.isPending}
        error={save.error}
        isReadOnly={!canEdit}
        onCancel={() => void navigate({ to: '/rules', search: {} })}
        onSave={(draft) => send(draft, base.etag)}
        conflict={
          isConflict
            ? (mine) => (
                <Conflict
                  what="rule"
                  onTakeTheirs={() => void takeTheirs()}
                  onOverwrite={() => mine && send(mine, null)}
                >
                  <Theirs id={rule.id} />
                </Conflict>
              )
            : undefined
        }
      />
    </Page>
  );
}

/** What the editor writes, to be compared. */
const writtenOf = (rule: Rule) =>
  JSON.stringify([
    rule.name,
    rule.event_type,
    rule.condition,
    rule.webhook_endpoint_id,
    rule.trigger,
    rule.rate_limit,
    rule.retry_policy,
  ]);

/** What the other one saved, as a sentence to compare with one's own above. */
function Theirs({ id }: { id: string }) {
  const { data } = useQuery({ ...ruleQuery(id), staleTime: 0 });
  const names = useEndpointNames();
  if (!data) return null;
  const { value } = data;
  return (
    <p data-theirs>
      Theirs, “<Foreign text={value.name} />
      ”:{' '}
      <Sentence parts={ruleSentence(value, names.get(value.webhook_endpoint_id) ?? 'a webhook')} />
    </p>
  );
}
