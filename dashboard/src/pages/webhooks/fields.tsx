/** The fields of a webhook, for adding and for changing one. */
import { Lock } from 'lucide-react';
import type { ApiProblem } from '@/api/problem';
import { manifestOf, type Plugin } from '@/api/types';
import { SettingsForm } from '@/settings-form/settings-form';
import { cn } from '@/ui/cn';
import { Field, Input, Switch, TextArea } from '@/ui/field';
import { headersProblem, proposedName, type Draft } from './draft';
import { TargetIcon, targetName } from './target-icon';

interface FieldsProps {
  draft: Draft;
  onChange: (draft: Draft) => void;
  targets: Plugin[];
  problem: ApiProblem | null;
  /** The target of what exists stays; so does a secret that is left empty. */
  isExisting?: boolean;
}

export function WebhookFields({ draft, onChange, targets, problem, isExisting }: FieldsProps) {
  const set = (change: Partial<Draft>) => onChange({ ...draft, ...change });
  const plugin = targets.find((each) => each.id === draft.target);
  const manifest = plugin ? manifestOf(plugin) : {};
  const isUrlOptional = isExisting || manifest.default_url !== undefined;
  return (
    <div className="space-y-5">
      {!isExisting && (
        <TargetCards
          targets={targets}
          chosen={draft.target}
          onChoose={(target) => set({ target, settings: {}, secrets: {} })}
        />
      )}
      <Field
        label={draft.target === 'slack' ? 'Webhook URL' : 'URL'}
        isOptional={isUrlOptional}
        error={problem?.at('/target_url')}
        help={
          manifest.url_is_secret ? (
            <span className="inline-flex items-center gap-1">
              <Lock className="size-3.5" aria-hidden /> Stored encrypted, shown masked.
              {isExisting && ' Leave it empty to keep it.'}
            </span>
          ) : manifest.default_url ? (
            `When empty: ${manifest.default_url}`
          ) : undefined
        }
      >
        {(ids) => (
          <Input
            {...ids}
            type="url"
            autoFocus={!isExisting}
            required={!isUrlOptional}
            value={draft.url}
            placeholder={
              draft.target === 'slack' ? 'https://hooks.slack.com/services/…' : 'https://'
            }
            onChange={(event) => set({ url: event.target.value })}
          />
        )}
      </Field>
      {(manifest.secrets ?? []).map((secret) => (
        <Field
          key={secret.name}
          label={secret.name.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase())}
          isOptional={isExisting || !secret.required}
          help={`${(secret.summary ?? '').replaceAll('`', '')} Never shown again.${isExisting ? ' Leave it empty to keep it.' : ''}`}
          error={problem?.at(`/secrets/${secret.name}`)}
        >
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="off"
              required={!isExisting && secret.required === true}
              value={draft.secrets[secret.name] ?? ''}
              onChange={(event) =>
                set({ secrets: { ...draft.secrets, [secret.name]: event.target.value } })
              }
            />
          )}
        </Field>
      ))}
      <Field
        label="Name"
        error={problem?.at('/name')}
        help="For people: a channel, a team, a system."
      >
        {(ids) => (
          <Input
            {...ids}
            required
            value={proposedName(draft)}
            placeholder="#oncall"
            onChange={(event) => set({ name: event.target.value })}
          />
        )}
      </Field>
      <SettingsForm
        key={draft.target}
        schema={manifest.settings}
        value={draft.settings}
        onChange={(settings) => set({ settings })}
      />
      {problem?.at('/settings') && (
        <p role="alert" className="text-danger stranger text-[13px]">
          {problem.at('/settings')}
        </p>
      )}
      <MoreOptions draft={draft} set={set} problem={problem} />
    </div>
  );
}

interface MoreOptionsProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  problem: ApiProblem | null;
}

function MoreOptions({ draft, set, problem }: MoreOptionsProps) {
  return (
    <details
      className="group rounded-md border px-4 py-3"
      open={
        Boolean(
          problem?.at('/headers') ?? problem?.at('/rate_limit') ?? problem?.at('/gone_after'),
        ) || undefined
      }
    >
      <summary className="font-medium">More options</summary>
      <div className="mt-4 space-y-4">
        <Switch
          isOn={draft.includeData}
          onChange={(includeData) => set({ includeData })}
          label="Send the event's data with the alert"
        />
        <p className="text-muted text-[13px]">
          Off: ids and summary fields only. On: also error text of your code.
        </p>
        <Field
          label="Headers"
          isOptional
          help="One a line, as Name: value."
          error={headersProblem(draft.headers) ?? problem?.at('/headers')}
        >
          {(ids) => (
            <TextArea
              {...ids}
              rows={3}
              value={draft.headers}
              onChange={(event) => {
                event.target.setCustomValidity(headersProblem(event.target.value) ?? '');
                set({ headers: event.target.value });
              }}
            />
          )}
        </Field>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field
            label="At most a minute"
            isOptional
            help="Over it alerts wait; none is lost."
            error={problem?.at('/rate_limit')}
          >
            {(ids) => (
              <Input
                {...ids}
                type="number"
                min={1}
                placeholder="no limit"
                value={draft.perMinute}
                onChange={(event) => set({ perMinute: event.target.value })}
              />
            )}
          </Field>
          <Field
            label="Gone after"
            isOptional
            help="So many 404 or 410 in a row before its rule is switched off."
            error={problem?.at('/gone_after')}
          >
            {(ids) => (
              <Input
                {...ids}
                type="number"
                min={1}
                max={100}
                placeholder="1"
                value={draft.goneAfter}
                onChange={(event) => set({ goneAfter: event.target.value })}
              />
            )}
          </Field>
        </div>
      </div>
    </details>
  );
}

function TargetCards(props: {
  targets: Plugin[];
  chosen: string;
  onChoose: (target: string) => void;
}) {
  return (
    <fieldset>
      <legend className="mb-2 font-medium">Where do alerts go?</legend>
      <div className="grid gap-2 sm:grid-cols-3">
        {props.targets.map((plugin) => (
          <label
            key={plugin.id}
            className={cn(
              'has-focus-visible:outline-link cursor-pointer rounded-lg border p-3 has-focus-visible:outline-2',
              plugin.id === props.chosen ? 'border-primary bg-accent' : 'hover:bg-accent/50',
            )}
          >
            <input
              type="radio"
              name="target"
              className="sr-only"
              checked={plugin.id === props.chosen}
              onChange={() => props.onChoose(plugin.id)}
            />
            <span className="flex items-center gap-2 font-medium">
              <TargetIcon target={plugin.id} className="size-4" /> {targetName(plugin.id)}
            </span>
            <span className="text-muted stranger mt-1 line-clamp-3 text-[13px]">
              {manifestOf(plugin).summary}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
