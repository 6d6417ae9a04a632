/** Audit entries as sentences, and what changed as lines. */
import type { AuditEntry } from '@/api/types';

const NOUNS: Record<string, string> = {
  alert_rule: 'the rule',
  webhook: 'the webhook',
  api_key: 'the key',
  plugin: 'the plugin',
  tenant: 'the tenant',
  delivery: 'the delivery',
  deliveries: 'deliveries',
  dead_letters: 'dead letters',
  session: 'a session',
  portal_link: 'a portal link',
};

/** Where the word that is recorded does not make a sentence. */
const DEEDS: Record<string, string> = {
  updated: 'changed',
  secret_rotated: 'rotated the secret of',
  draft_tested: 'sent a test to a draft of',
  marked: 'changed',
  limited: 'changed the limits of',
  granted: 'changed who may use',
  disabled: 'switched off',
};

/** Things that are known by their id alone, which people chose. */
const UNNAMED: Record<string, true> = { plugin: true, tenant: true };

export interface Change {
  field: string;
  before: unknown;
  after: unknown;
}

/** “changed the rule On failure: condition”, without the actor, who is shown before it. */
export function auditSentence(entry: AuditEntry): string {
  const [noun = '', verb = ''] = entry.action.split('.');
  const did = DEEDS[verb] ?? verb.replaceAll('_', ' ');
  const detail = detailOf(entry);
  const named = typeof detail.name === 'string' ? detail.name : UNNAMED[noun] && entry.resource;
  const name = named ? ` “${named}”` : '';
  const thing = `${NOUNS[noun] ?? noun.replaceAll('_', ' ')}${name}`;
  if (verb === 'redriven') return `sent ${thing} again`;
  const fields = changedFields(entry);
  const isOn = asRecord(detail.after).is_active;
  if (fields.length === 1 && fields[0] === 'is_active' && typeof isOn === 'boolean')
    return `switched ${isOn ? 'on' : 'off'} ${thing}`;
  const what = fields.length > 0 ? `: ${fields.join(', ')}` : '';
  return `${did} ${thing}${what}`;
}

export function changedFields(entry: AuditEntry): string[] {
  const { changed } = detailOf(entry);
  if (Array.isArray(changed)) return changed.filter((field) => typeof field === 'string');
  if (typeof changed === 'object' && changed !== null) return Object.keys(changed);
  return [];
}

/** Changed fields of which the log is told no values: secrets, and what may hold some. */
export function untoldFields(entry: AuditEntry): string[] {
  const told = new Set(changesOf(entry).map(({ field }) => field));
  return changedFields(entry).filter((field) => !told.has(field));
}

/** Before and after, field by field, where the entry has them. */
export function changesOf(entry: AuditEntry): Change[] {
  const detail = detailOf(entry);
  const [before, after] = [asRecord(detail.before), asRecord(detail.after)];
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return fields
    .map((field) => ({ field, before: before[field], after: after[field] }))
    .filter((change) => sameText(change.before) !== sameText(change.after))
    .map(({ field, before, after }) => ({ field, before: read(before), after: read(after) }));
}

/** A field that is not there is one that is empty. */
const sameText = (value: unknown) => JSON.stringify(value ?? null);

/** A condition in CEL as it is written, not as it is stored. */
function read(value: unknown): unknown {
  const { language, source } = asRecord(value);
  return language === 'cel' && typeof source === 'string' ? source : value;
}

const detailOf = (entry: AuditEntry) => asRecord(entry.detail);

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
