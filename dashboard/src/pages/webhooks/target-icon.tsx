import { BellRing, MessageSquare, Puzzle, Webhook, type LucideIcon } from 'lucide-react';

/** The built-in targets have their own; what comes as a plugin has the plugin's. */
const ICONS: Record<string, LucideIcon> = {
  http: Webhook,
  slack: MessageSquare,
  pagerduty: BellRing,
};

const NAMES: Record<string, string> = { http: 'HTTP', slack: 'Slack', pagerduty: 'PagerDuty' };

export const targetName = (target: string) => NAMES[target] ?? target;

export function TargetIcon({ target, className }: { target: string; className?: string }) {
  const Icon = ICONS[target] ?? Puzzle;
  return <Icon className={className} aria-label={targetName(target)} role="img" />;
}
