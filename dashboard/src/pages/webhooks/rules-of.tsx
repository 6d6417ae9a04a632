import { Link } from '@tanstack/react-router';
import { changeRule } from '@/api/rules';
import { useMay } from '@/api/session';
import type { Endpoint, Rule } from '@/api/types';
import { Button } from '@/ui/button';
import { Offered } from '@/ui/role-note';
import { Skeleton } from '@/ui/states';
import { Badge } from '@/ui/status';
import { Foreign } from '@/ui/stranger-text';
import { ruleSentence } from '@/words/rule';
import { Sentence } from '../rules/sentence';
import { SwitchButton } from '../switching';

/** The rules that lead here; one that the host switched off says why, beside the way back. */
export function RulesOf({
  rules,
  endpoint,
  isPending,
}: {
  rules: Rule[];
  endpoint: Endpoint;
  isPending: boolean;
}) {
  const canEdit = useMay('editor');
  if (isPending) return <Skeleton rows={2} />;
  return (
    <>
      {rules.length === 0 && (
        <p className="text-muted">No rule points here, so nothing but tests is sent.</p>
      )}
      <ul className="divide-y">
        {rules.map((rule) => (
          <li key={rule.id} className="py-2.5">
            <div className="flex items-center justify-between gap-3">
              <Link
                to="/rules/$id"
                params={{ id: rule.id }}
                className="font-medium hover:underline"
              >
                <Foreign text={rule.name} />
              </Link>
              {!rule.is_active && (
                <Badge tone={rule.disabled_reason ? 'danger' : 'muted'}>Off</Badge>
              )}
            </div>
            <p className="text-muted text-[13px]">
              <Sentence parts={ruleSentence(rule, endpoint.name)} />
            </p>
            {rule.disabled_reason && !rule.is_active && (
              <div className="mt-1.5 flex flex-wrap items-center gap-3">
                <span className="text-danger text-[13px]">
                  <Foreign text={rule.disabled_reason} />
                </span>
                <Offered role="editor" what="Switching it on">
                  <SwitchButton
                    part="rules"
                    name={rule.name}
                    isOn={false}
                    change={(isActive) => changeRule(rule.id, { is_active: isActive })}
                  />
                </Offered>
              </div>
            )}
          </li>
        ))}
      </ul>
      {canEdit && (
        <Button asChild size="small" className="mt-3">
          <Link to="/rules/new" search={{ endpoint: endpoint.id }}>
            Add a rule
          </Link>
        </Button>
      )}
    </>
  );
}
