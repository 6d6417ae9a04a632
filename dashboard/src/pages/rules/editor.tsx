/** The rule editor: the sentence on top changes as the fields do, and what it would have sent is beside it. */
import { useBlocker } from '@tanstack/react-router';
import { useState, type FormEvent, type ReactNode } from 'react';
import { flushSync } from 'react-dom';
import { ApiProblem } from '@/api/problem';
import type { NewRule, Trigger } from '@/api/types';
import { useEndpoints } from '@/api/webhooks';
import { ConditionField } from '@/condition/condition-field';
import { diagnosticOf } from '@/condition/diagnostic';
import { Button } from '@/ui/button';
import { Confirm } from '@/ui/dialog';
import { Field, Input } from '@/ui/field';
import { Card } from '@/ui/page';
import { Picker } from '@/ui/picker';
import { InlineError } from '@/ui/states';
import { ruleSentence } from '@/words/rule';
import { ruleOf, triggerOf, type Draft } from './draft';
import { Past } from './past';
import { Sentence } from './sentence';
import { TriggerFields } from './trigger-fields';
import { useBacktest } from './use-backtest';
import { WhyNot } from './why-not';

interface RuleEditorProps {
  initial: Draft;
  kept?: Trigger;
  saveLabel: string;
  isBusy: boolean;
  error: unknown;
  onSave: (rule: NewRule) => void;
  onCancel: () => void;
  isReadOnly?: boolean;
  /** Shown above the buttons, in place of what went wrong. */
  conflict?: ((mine: NewRule | null) => ReactNode) | undefined;
}

const TYPES = ['workflow.failed', 'workflow.succeeded', 'workflow.started', 'workflow.*'];

export function RuleEditor(props: RuleEditorProps) {
  const { initial, kept, saveLabel, isBusy, error, onSave, onCancel, isReadOnly, conflict } = props;
  const [draft, setDraft] = useState(initial);
  const [span, setSpan] = useState('7d');
  const endpoints = useEndpoints();
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }));
  // Where there is one webhook there is nothing to choose, and the condition is tried from the first letter.
  const [only, ...others] = endpoints.isComplete ? endpoints.items : [];
  const [clean, setClean] = useState(() => JSON.stringify(initial));
  if (only && others.length === 0 && draft.endpointId === '' && !isReadOnly) {
    set({ endpointId: only.id });
    setClean(JSON.stringify({ ...initial, endpointId: only.id }));
  }

  const read = triggerOf(draft, kept);
  const rule = ruleOf(draft, kept);
  const test = useBacktest(rule, span);
  const endpoint = endpoints.items.find((each) => each.id === draft.endpointId);

  // The newest word about the condition: that of the trial on the past, or of a save that was refused, for as long as
  // the condition is the one that was sent.
  const [sent, setSent] = useState<Draft>();
  const isAsSent = sent?.language === draft.language && sent.source === draft.source;
  const newest = test.error ?? (isAsSent ? error : null);
  const refused = newest instanceof ApiProblem ? newest : null;
  const conditionError = refused?.at('/rule/condition') ?? refused?.at('/condition');
  const diagnostic =
    conditionError && test.isSettled ? diagnosticOf(conditionError, draft.source) : null;
  const problem = error instanceof ApiProblem ? error : null;

  // What was written is not lost by a click on another page; what was sent is saved, or told why not.
  const written = JSON.stringify(draft);
  const isUnsaved = written !== clean && written !== JSON.stringify(sent) && !isReadOnly;
  const leaving = useBlocker({
    shouldBlockFn: ({ current, next }) => isUnsaved && current.pathname !== next.pathname,
    enableBeforeUnload: () => isUnsaved,
    withResolver: true,
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!rule) return;
    setSent(draft);
    onSave(rule);
  };
  return (
    <form onSubmit={submit} className="grid gap-6 xl:grid-cols-[3fr_2fr]">
      <div className="min-w-0 space-y-6">
        <p
          className="bg-card rounded-lg border px-5 py-4 text-base"
          aria-live="polite"
          data-sentence
        >
          {rule ? (
            <Sentence parts={ruleSentence(rule, endpoint?.name ?? 'a webhook')} />
          ) : (
            <span className="text-muted">The sentence is told when each field reads.</span>
          )}
        </p>
        <Card>
          <fieldset disabled={isReadOnly} className="space-y-5">
            <div className="grid gap-4 sm:grid-cols-2">
              {draft.kind !== 'duration' && (
                <Field
                  label="When"
                  help="An event’s type; * stands for anything."
                  error={problem?.at('/event_type')}
                >
                  {(ids) => (
                    <>
                      <Input
                        {...ids}
                        required
                        list="event-types"
                        value={draft.eventType}
                        onChange={(event) => set({ eventType: event.target.value })}
                      />
                      <datalist id="event-types">
                        {TYPES.map((type) => (
                          <option key={type} value={type} />
                        ))}
                      </datalist>
                    </>
                  )}
                </Field>
              )}
              <Field
                label="Tell"
                error={problem?.at('/webhook_endpoint_id')}
                help={
                  endpoints.isComplete && endpoints.items.length === 0
                    ? 'There is no webhook yet. Add one first, under Webhooks.'
                    : undefined
                }
              >
                {(ids) => (
                  <Picker
                    {...ids}
                    required
                    none="Choose a webhook"
                    items={endpoints.items}
                    value={draft.endpointId}
                    onChange={(endpointId) => set({ endpointId })}
                  />
                )}
              </Field>
            </div>
            <ConditionField
              language={draft.language}
              source={draft.source}
              eventType={draft.eventType}
              onChange={(language, source) => set({ language, source })}
              diagnostic={diagnostic}
              error={test.isSettled ? conditionError : undefined}
              isReadOnly={isReadOnly ?? false}
            />
            <TriggerFields draft={draft} set={set} errors={'errors' in read ? read.errors : {}} />
            {problem?.at('/trigger') && (
              <p role="alert" className="text-danger text-[13px]">
                {problem.at('/trigger')}
              </p>
            )}
            <div className="grid gap-4 sm:grid-cols-[2fr_1fr_1fr]">
              <Field label="Name" error={problem?.at('/name')}>
                {(ids) => (
                  <Input
                    {...ids}
                    required
                    placeholder="On failure"
                    value={draft.name}
                    onChange={(event) => set({ name: event.target.value })}
                  />
                )}
              </Field>
              <Field label="Alerts a minute" error={problem?.at('/rate_limit')}>
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
              <Field label="Retries" error={problem?.at('/retry_policy')}>
                {(ids) => (
                  <Input
                    {...ids}
                    type="number"
                    min={0}
                    placeholder="8"
                    value={draft.maxRetries}
                    onChange={(event) => set({ maxRetries: event.target.value })}
                  />
                )}
              </Field>
            </div>
          </fieldset>
        </Card>
        {conflict ? (
          conflict(rule)
        ) : error && !(problem && problem.errors.length > 0) ? (
          <InlineError error={error} />
        ) : null}
        {!isReadOnly && (
          <div className="flex justify-end gap-2">
            <Button
              onClick={() => {
                // Drawn first, so that leaving is not asked about.
                flushSync(() => setSent(draft));
                onCancel();
              }}
            >
              Cancel
            </Button>
            <Button
              type="submit"
              look="primary"
              isBusy={isBusy}
              disabled={!rule || Boolean(conflict)}
            >
              {saveLabel}
            </Button>
          </div>
        )}
      </div>
      <Confirm
        title="Leave without saving?"
        consequence="What you changed in this rule is not saved."
        action="Leave"
        isOpen={leaving.status === 'blocked'}
        onClose={() => leaving.reset?.()}
        onConfirm={() => leaving.proceed?.()}
      />
      <div className="min-w-0 space-y-6">
        <Past
          test={test}
          span={span}
          onSpan={setSpan}
          isReady={draft.endpointId !== ''}
          isErrorShown={Boolean(conditionError)}
        />
        {rule && draft.endpointId !== '' && draft.kind !== 'duration' && !conditionError && (
          <WhyNot rule={rule} />
        )}
      </div>
    </form>
  );
}
