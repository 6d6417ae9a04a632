/** Why a rule is off, and the way back. */
import { Link } from '@tanstack/react-router';
import type { Rule } from '@/api/types';
import { Button } from '@/ui/button';
import { Note } from '@/ui/states';
import { Foreign } from '@/ui/stranger-text';

export function WhyOff({ rule }: { rule: Rule }) {
  if (rule.is_active) return null;
  if (!rule.disabled_reason) {
    return (
      <Note tone="plain">
        Somebody switched it off. It looks at no events until it is switched on again.
      </Note>
    );
  }
  return (
    <Note tone="danger">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="min-w-0">
          The host switched it off, since the target is gone:{' '}
          <strong className="font-semibold">
            <Foreign text={rule.disabled_reason} />
          </strong>
          . Mend the webhook, then switch the rule on.
        </p>
        <Button asChild size="small">
          <Link to="/webhooks/$id" params={{ id: rule.webhook_endpoint_id }}>
            Look at the webhook
          </Link>
        </Button>
      </div>
    </Note>
  );
}
