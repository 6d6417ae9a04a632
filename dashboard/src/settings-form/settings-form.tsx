/** A plugin's settings: as a form where its schema allows one, and as JSON where not. */
import { Component, lazy, Suspense, type ReactNode } from 'react';
import { Skeleton } from '@/ui/states';
import { isFormable, type Schema } from './schema';

const SchemaForm = lazy(() => import('./form'));
const JsonSettings = lazy(() => import('./json-settings'));

interface SettingsFormProps {
  schema: unknown;
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
}

export function SettingsForm({ schema, value, onChange }: SettingsFormProps) {
  if (schema === undefined || schema === null) return null;
  const asJson = <JsonSettings schema={schema} value={value} onChange={onChange} />;
  return (
    <Suspense fallback={<Skeleton rows={2} />}>
      {isFormable(schema) ? (
        <Fallback otherwise={asJson}>
          <SchemaForm schema={schema as Schema} value={value} onChange={onChange} />
        </Fallback>
      ) : (
        asJson
      )}
    </Suspense>
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
