/** A plugin's settings: as a form where its schema allows one, and as JSON where not. */
import { Component, lazy, Suspense, useState, type ReactNode } from 'react';
import { Field, TextArea } from '@/ui/field';
import { Skeleton } from '@/ui/states';
import { isFormable, type Schema } from './schema';

const SchemaForm = lazy(() => import('./form'));

interface SettingsFormProps {
  schema: unknown;
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
}

export function SettingsForm({ schema, value, onChange }: SettingsFormProps) {
  if (schema === undefined || schema === null) return null;
  const asJson = <JsonSettings value={value} onChange={onChange} />;
  if (!isFormable(schema)) return asJson;
  return (
    <Fallback otherwise={asJson}>
      <Suspense fallback={<Skeleton rows={2} />}>
        <SchemaForm schema={schema as Schema} value={value} onChange={onChange} />
      </Suspense>
    </Fallback>
  );
}

function JsonSettings({ value, onChange }: Omit<SettingsFormProps, 'schema'>) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [error, setError] = useState<string>();
  return (
    <Field
      label="Settings, as JSON"
      help="This plugin's settings are of a kind that no form shows. The host checks them when you save."
      error={error}
    >
      {(ids) => (
        <TextArea
          {...ids}
          rows={8}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            try {
              const parsed: unknown = JSON.parse(event.target.value);
              if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
                throw new SyntaxError('settings are an object, in braces');
              }
              setError(undefined);
              onChange(parsed as Record<string, unknown>);
            } catch (failure) {
              setError(`Not JSON yet: ${failure instanceof Error ? failure.message : ''}`);
            }
          }}
        />
      )}
    </Field>
  );
}

/** A schema that breaks the form shows the other editor, not an empty page. */
class Fallback extends Component<
  { children: ReactNode; otherwise: ReactNode },
  { isBroken: boolean }
> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    return this.state.isBroken ? this.props.otherwise : this.props.children;
  }
}
