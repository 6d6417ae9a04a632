/** The form of a plugin's schema. Loaded when a form is opened: it is the largest part of the dashboard. */
import Form from '@rjsf/core';
import { useMemo } from 'react';
import { cleaned, forForm, uiOf, type Schema } from './schema';
import { templates, widgets } from './theme';
import { validator } from './validator';

interface SchemaFormProps {
  schema: Schema;
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
}

export default function SchemaForm({ schema, value, onChange }: SchemaFormProps) {
  const ready = useMemo(() => forForm(schema), [schema]);
  const ui = useMemo(() => uiOf(schema), [schema]);
  return (
    <Form
      tagName="div"
      schema={ready}
      uiSchema={ui}
      formData={value}
      validator={validator}
      templates={templates}
      widgets={widgets}
      idPrefix="settings"
      showErrorList={false}
      // What a plugin leaves to its default is not written down, so that a later default holds.
      experimental_defaultFormStateBehavior={{ emptyObjectFields: 'skipDefaults' }}
      onChange={({ formData }) => onChange(cleaned(formData ?? {}) as Record<string, unknown>)}
    />
  );
}
