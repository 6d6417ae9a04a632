/** What am I told about? Each rule as a sentence. */
import { getRouteApi, Link } from '@tanstack/react-router';
import { ListChecks, Plus } from 'lucide-react';
import { changeRule, useRules } from '@/api/rules';
import { useMay } from '@/api/session';
import type { Rule } from '@/api/types';
import { useEndpointNames } from '@/api/webhooks';
import { plural } from '@/format/number';
import { Button } from '@/ui/button';
import { FilterSelect } from '@/ui/choice';
import { cn } from '@/ui/cn';
import { cutMiddle } from '@/ui/copy';
import { Switch } from '@/ui/field';
import { ListStates } from '@/ui/list-states';
import { Page } from '@/ui/page';
import { Offered } from '@/ui/role-note';
import { Rows } from '@/ui/rows';
import { SearchBox } from '@/ui/search-box';
import { Empty } from '@/ui/states';
import { Foreign } from '@/ui/stranger-text';
import { plainSentence, ruleSentence } from '@/words/rule';
import { useSwitch } from '../switching';
import { Fired } from './fired';
import { Sentence } from './sentence';

const route = getRouteApi('/rules');
const ROW_HEIGHT = 80;

export function RulesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const rules = useRules();
  const names = useEndpointNames();
  const canEdit = useMay('editor');
  const set = (change: Record<string, string | undefined>) =>
    void navigate({ search: (now) => ({ ...now, ...change }) as typeof search, replace: true });
  const needle = search.q?.toLowerCase();
  const shown = rules.items.filter((rule) => {
    if (search.state === 'on' && !rule.is_active) return false;
    if (search.state === 'off' && rule.is_active) return false;
    if (search.state === 'trouble' && !rule.disabled_reason && !rule.last_condition_error)
      return false;
    if (search.endpoint && rule.webhook_endpoint_id !== search.endpoint) return false;
    if (!needle) return true;
    const sentence = plainSentence(ruleSentence(rule, names.get(rule.webhook_endpoint_id) ?? ''));
    return [rule.name, sentence, rule.id].some((text) => text.toLowerCase().includes(needle));
  });
  const add = (
    <Offered role="editor" what="Adding a rule">
      <Button asChild look="primary">
        <Link to="/rules/new" search={{}}>
          <Plus /> Add rule
        </Link>
      </Button>
    </Offered>
  );
  return (
    <Page
      title="Rules"
      icon={ListChecks}
      subtitle="What you are told about, and where."
      actions={add}
    >
      {rules.items.length > 0 && (
        <div className="flex flex-wrap items-center gap-2">
          <SearchBox
            label="Search rules"
            value={search.q ?? ''}
            onChange={(q) => set({ q: q || undefined })}
          />
          <FilterSelect
            label="State"
            any="Any state"
            value={search.state}
            options={[
              ['on', 'On'],
              ['off', 'Off'],
              ['trouble', 'With a problem'],
            ]}
            onChange={(state) => set({ state })}
          />
          <span className="text-muted numbers ml-auto text-[13px]" role="status">
            {plural(shown.length, 'rule')}
            {!rules.isComplete && '…'}
          </span>
        </div>
      )}
      <ListStates
        isPending={rules.isPending}
        error={rules.error}
        onRetry={() => void rules.refetch()}
        all={rules.items.length}
        shown={shown.length}
        empty={
          <Empty title="No rules yet" icon={<ListChecks />} action={add}>
            A rule says when an alert is sent: when a workflow fails, fails too often, or runs too
            long.
          </Empty>
        }
        nothing={{
          title: 'No rule matches',
          why: `Of ${plural(rules.items.length, 'rule')} none has this name and state.`,
          onClear: () => void navigate({ search: {} }),
        }}
      >
        <div className="bg-card overflow-hidden rounded-lg border">
          <Rows
            items={shown}
            rowHeight={ROW_HEIGHT}
            label="Rules"
            keyOf={(rule) => rule.id}
            render={(rule) => (
              <Row
                rule={rule}
                endpoint={
                  names.get(rule.webhook_endpoint_id) ?? cutMiddle(rule.webhook_endpoint_id)
                }
                canEdit={canEdit}
              />
            )}
          />
        </div>
      </ListStates>
    </Page>
  );
}

interface RowProps {
  rule: Rule;
  endpoint: string;
  canEdit: boolean;
}

function Row({ rule, endpoint, canEdit }: RowProps) {
  const turn = useSwitch({
    part: 'rules',
    name: rule.name,
    change: (isActive) => changeRule(rule.id, { is_active: isActive }),
  });
  return (
    <div className="hover:bg-accent flex h-full items-center gap-4 border-b px-4">
      <Link to="/rules/$id" params={{ id: rule.id }} className="min-w-0 grow rounded-sm py-2">
        <span className={cn('block truncate font-medium', !rule.is_active && 'text-muted')}>
          <Foreign text={rule.name} />
        </span>
        <span className="text-muted line-clamp-2 text-[13px]">
          {rule.disabled_reason && !rule.is_active ? (
            <span className="text-danger">
              Switched off by the host: <Foreign text={rule.disabled_reason} />
            </span>
          ) : (
            <Sentence parts={ruleSentence(rule, endpoint)} />
          )}
        </span>
      </Link>
      {rule.last_condition_error && (
        <span className="text-waiting text-[13px] max-md:hidden">Condition fails</span>
      )}
      <span className="max-sm:hidden">
        <Fired rule={rule} isStacked />
      </span>
      <Switch
        isOn={turn.wanted ?? rule.is_active}
        onChange={turn.to}
        label={`${rule.name} is on`}
        isLabelHidden
        isDisabled={!canEdit || turn.isBusy}
      />
    </div>
  );
}
