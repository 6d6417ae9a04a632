/** What is wrong now, each with the page that mends it. */
import type { Endpoint, Plugin, Rule } from '@/api/types';
import { plural } from '@/format/number';

export interface Trouble {
  key: string;
  what: string;
  why: string;
  /** The words on the button. */
  remedy: string;
  to: '/webhooks/$id' | '/rules/$id' | '/dead-letters' | '/plugins/$id';
  id?: string;
}

export interface Findings {
  /** Those whose circuit is not closed. */
  endpoints: Endpoint[];
  rules: Rule[];
  /** Dead letters that were not sent again yet; as many as `mostCounted` may be more. */
  dead: number;
  mostCounted: number;
  plugins: Plugin[];
}

export function troublesOf({ endpoints, rules, dead, mostCounted, plugins }: Findings): Trouble[] {
  const troubles: Trouble[] = [];
  for (const endpoint of endpoints) {
    troubles.push({
      key: endpoint.id,
      what: `Alerts to ${endpoint.name} wait`,
      why: 'Its circuit is open: it failed several times in a row.',
      remedy: 'See why',
      to: '/webhooks/$id',
      id: endpoint.id,
    });
  }
  for (const rule of rules) {
    if (!rule.is_active && rule.disabled_reason) {
      troubles.push({
        key: rule.id,
        what: `The host switched off “${rule.name}”`,
        why: rule.disabled_reason,
        remedy: 'Look at the rule',
        to: '/rules/$id',
        id: rule.id,
      });
    } else if (rule.is_active && rule.last_condition_error) {
      troubles.push({
        key: rule.id,
        what: `The condition of “${rule.name}” fails`,
        why: rule.last_condition_error,
        remedy: 'Mend the condition',
        to: '/rules/$id',
        id: rule.id,
      });
    }
  }
  if (dead > 0) {
    const count =
      dead >= mostCounted ? `More than ${plural(dead, 'alert')}` : plural(dead, 'alert');
    troubles.push({
      key: 'dead',
      what: `${count} ${dead === 1 ? 'was' : 'were'} not delivered`,
      why: 'They are kept and can be sent again.',
      remedy: 'Resend…',
      to: '/dead-letters',
    });
  }
  for (const plugin of plugins) {
    if (plugin.state === 'refused' || plugin.circuit?.is_open) {
      troubles.push({
        key: `plugin-${plugin.id}`,
        what:
          plugin.state === 'refused'
            ? `The plugin ${plugin.id} was refused`
            : `The plugin ${plugin.id} rests`,
        why: plugin.reason ?? plugin.circuit?.reason ?? '',
        remedy: 'See why',
        to: '/plugins/$id',
        id: plugin.id,
      });
    }
  }
  return troubles;
}
