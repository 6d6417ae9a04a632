/** What am I told about? Each rule as a sentence. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { ListChecks, Plus } from 'lucide-react';
import { changeRule, useRuleMutation, useRules } from '@/api/rules';
import { useMay } from '@/api/session';
import { statsQuery } from '@/api/stats';
import type { Rule } from '@/api/types';
import { useEndpointNames } from '@/api/webhooks';
import { countText, plural } from '@/format/number';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Select, Switch } from '@/ui/field';
import { Page } from '@/ui/page';
import { Rows } from '@/ui/rows';
import { SearchBox } from '@/ui/search-box';
import { Empty, Failure, Skeleton } from '@/ui/states';
import { Foreign } from '@/ui/stranger-text';
import { toast } from '@/ui/toast';
import { cutMiddle } from '@/ui/copy';
import { plainSentence, ruleSentence } from '@/words/rule';
import { Sentence } from './sentence';

const route = getRouteApi('/rules');
const ROW_HEIGHT = 80;

export function RulesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const rules = useRules();
  const names = useEndpointNames();
  const fired = useFired();
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
  const add = canEdit && (
    <Button asChild look="primary">
      <Link to="/rules/new" search={{}}>
        <Plus /> Add rule
      </Link>
    </Button>
  );
  return (
    <Page
      title="Rules"
      icon={ListChecks}
      subtitle="What you are told about, and where."
      actions={add}
    >
      {rules.error && rules.items.length === 0 ? (
        <Failure error={rules.error} onRetry={() => void rules.refetch()} />
      ) : rules.isPending ? (
        <Skeleton />
      ) : rules.items.length === 0 ? (
        <Empty title="No rules yet" icon={<ListChecks />} action={add}>
          A rule says when an alert is sent: when a workflow fails, fails too often, or runs too
          long.
        </Empty>
      ) : (
        <>
          <div className="flex flex-wrap items-center gap-2">
            <SearchBox
              label="Search rules"
              value={search.q ?? ''}
              onChange={(q) => set({ q: q || undefined })}
            />
            <Select
              aria-label="State"
              className="w-auto"
              value={search.state ?? ''}
              onChange={(event) => set({ state: event.target.value || undefined })}
            >
              <option value="">Any state</option>
              <option value="on">On</option>
              <option value="off">Off</option>
              <option value="trouble">With a problem</option>
            </Select>
            <span className="text-muted numbers ml-auto text-[13px]" role="status">
              {plural(shown.length, 'rule')}
              {!rules.isComplete && '…'}
            </span>
          </div>
          {shown.length === 0 ? (
            <Empty
              title="No rule matches"
              action={
                <Button onClick={() => void navigate({ search: {} })}>Clear the filters</Button>
              }
            >
              Of {plural(rules.items.length, 'rule')} none has this name and state.
            </Empty>
          ) : (
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
                    fired={fired?.get(rule.id) ?? (fired ? 0 : null)}
                    canEdit={canEdit}
                  />
                )}
              />
            </div>
          )}
        </>
      )}
    </Page>
  );
}

/** Alerts of each rule in the last day; null where the host has no figures. */
function useFired(): Map<string, number> | null {
  const { data } = useQuery(statsQuery('hour', 24, 'alert_rule_id'));
  if (!data) return null;
  const fired = new Map<string, number>();
  for (const stat of data) {
    if (!stat.alert_rule_id) continue;
    fired.set(
      stat.alert_rule_id,
      (fired.get(stat.alert_rule_id) ?? 0) + stat.delivered + stat.dead,
    );
  }
  return fired;
}

interface RowProps {
  rule: Rule;
  endpoint: string;
  fired: number | null;
  canEdit: boolean;
}

function Row({ rule, endpoint, fired, canEdit }: RowProps) {
  const turn = useRuleMutation((isActive: boolean) => changeRule(rule.id, { is_active: isActive }));
  const switchTo = (isActive: boolean) =>
    turn.mutate(isActive, {
      onSuccess: () =>
        toast.done(`${rule.name} is switched ${isActive ? 'on' : 'off'}`, () =>
          switchTo(!isActive),
        ),
      onError: toast.failed,
    });
  const isOn = turn.isPending ? turn.variables : rule.is_active;
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
      {fired !== null && (
        <span
          className="text-muted numbers w-20 text-right text-[13px] max-sm:hidden"
          title="Alerts in the last 24 hours"
        >
          {fired === 0 ? '' : countText(fired)}
          {fired > 0 && ' in 24 h'}
        </span>
      )}
      <Switch
        isOn={isOn}
        onChange={switchTo}
        label={`${rule.name} is on`}
        isLabelHidden
        isDisabled={!canEdit || turn.isPending}
      />
    </div>
  );
}
