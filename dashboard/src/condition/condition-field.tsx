/** A condition: its language, its text, what is wrong with it and where. */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo } from 'react';
import { newestEventsQuery } from '@/api/events';
import { usePlugins } from '@/api/operators';
import { Button } from '@/ui/button';
import { Select } from '@/ui/field';
import { Menu, MenuItem } from '@/ui/menu';
import { Foreign } from '@/ui/stranger-text';
import { READY } from './cel';
import type { Diagnostic } from './diagnostic';
import { fieldsOf } from './fields';

const Editor = lazy(() => import('./editor'));

const NAMES: Record<string, string> = { cel: 'CEL', jsonlogic: 'JSONLogic' };

interface ConditionFieldProps {
  language: string;
  source: string;
  onChange: (language: string, source: string) => void;
  eventType: string;
  diagnostic: Diagnostic | null;
  /** What is wrong that has no place. */
  error: string | undefined;
  isReadOnly?: boolean;
}

export function ConditionField(props: ConditionFieldProps) {
  const { language, source, onChange, eventType, diagnostic, error, isReadOnly } = props;
  const plugins = usePlugins();
  const type =
    eventType.includes('*') || eventType === 'workflow.duration_exceeded' ? '' : eventType;
  const events = useQuery({ ...newestEventsQuery(type ? { type } : {}, 100), retry: false });
  const fields = useMemo(
    () => fieldsOf((events.data?.data ?? []).map((stored) => stored.event)),
    [events.data],
  );
  const known = plugins.items
    .filter((plugin) => plugin.kind === 'condition')
    .map((plugin) => plugin.id);
  const languages = [...new Set(['cel', ...known, language])];
  return (
    <div className="space-y-1.5">
      <div className="flex flex-wrap items-end justify-between gap-2">
        <span className="font-medium">
          Condition <span className="text-muted font-normal">(optional)</span>
        </span>
        {!isReadOnly && (
          <span className="flex items-center gap-2">
            {language === 'cel' && (
              <Menu trigger={<Button size="small">Ready conditions</Button>}>
                {READY.map((ready) => (
                  <MenuItem
                    key={ready.label}
                    onSelect={() =>
                      onChange(
                        'cel',
                        source.trim()
                          ? `${source.trim()} && ${bracketed(ready.source)}`
                          : ready.source,
                      )
                    }
                  >
                    {ready.label}
                  </MenuItem>
                ))}
              </Menu>
            )}
            {languages.length > 1 && (
              <Select
                aria-label="Condition language"
                className="h-8 w-auto"
                value={language}
                onChange={(event) => onChange(event.target.value, source)}
              >
                {languages.map((each) => (
                  <option key={each} value={each}>
                    {NAMES[each] ?? each}
                  </option>
                ))}
              </Select>
            )}
          </span>
        )}
      </div>
      <Suspense fallback={<div className="border-line-strong bg-bg h-9.5 rounded-md border" />}>
        <Editor
          label="Condition"
          value={source}
          onChange={(text) => onChange(language, text)}
          isCel={language === 'cel'}
          fields={fields}
          diagnostic={diagnostic}
          isReadOnly={isReadOnly ?? false}
        />
      </Suspense>
      <div aria-live="polite">
        {diagnostic && <DiagnosticView diagnostic={diagnostic} source={source} />}
        {!diagnostic && error && (
          <p className="text-danger text-[13px]">
            <Foreign text={error} />
          </p>
        )}
      </div>
    </div>
  );
}

const bracketed = (source: string) => (source.includes('||') ? `(${source})` : source);

/** The line, a mark under the column, and what is wrong there. */
function DiagnosticView({ diagnostic, source }: { diagnostic: Diagnostic; source: string }) {
  const line = source.split('\n')[diagnostic.line - 1] ?? '';
  // Long lines are cut so that the mark stays in view.
  const start = Math.max(0, diagnostic.column - 40);
  return (
    <div
      className="text-danger text-[13px]"
      data-diagnostic
      data-line={diagnostic.line}
      data-column={diagnostic.column}
    >
      <pre className="overflow-hidden font-mono text-xs leading-4" aria-hidden>
        {`${line.slice(start, start + 80)}\n${' '.repeat(diagnostic.column - 1 - start)}▲`}
      </pre>
      <p>
        Line {diagnostic.line}, column {diagnostic.column}: <Foreign text={diagnostic.message} />
      </p>
    </div>
  );
}
