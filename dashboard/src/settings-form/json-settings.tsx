/** Settings as JSON, for schemas that no form shows. Loaded when such a plugin is chosen. */
import { useEffect, useRef, useState } from 'react';
import { Field, TextArea } from '@/ui/field';
import { schemaErrors } from './schema-errors';

/** Enough to begin mending with. */
const SHOWN_ERRORS = 3;

interface JsonSettingsProps {
  schema: unknown;
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
}

export default function JsonSettings({ schema, value, onChange }: JsonSettingsProps) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const field = useRef<HTMLTextAreaElement>(null);
  const read = settingsOf(text);
  const unread = 'error' in read ? read.error : '';
  // What does not read is not sent: the form would send what was read last. What the schema minds is the host's to refuse.
  useEffect(() => field.current?.setCustomValidity(unread), [unread]);
  return (
    <Field
      label="Settings, as JSON"
      help="This plugin's settings are of a kind that no form shows. The host checks them when you save."
      error={unread || ('settings' in read ? mismatch(schema, read.settings) : undefined)}
    >
      {(ids) => (
        <TextArea
          {...ids}
          ref={field}
          rows={8}
          spellCheck={false}
          className="font-mono"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            const next = settingsOf(event.target.value);
            if ('settings' in next) onChange(next.settings);
          }}
        />
      )}
    </Field>
  );
}

type Read = { settings: Record<string, unknown> } | { error: string };

function settingsOf(text: string): Read {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return { settings: parsed as Record<string, unknown> };
    }
    return { error: 'Settings are an object, in braces.' };
  } catch (failure) {
    return { error: `Not JSON yet: ${failure instanceof Error ? failure.message : ''}` };
  }
}

function mismatch(schema: unknown, settings: Record<string, unknown>): string | undefined {
  try {
    const errors = schemaErrors(schema, settings).slice(0, SHOWN_ERRORS);
    const words = errors.map(({ pointer, message }) =>
      pointer.length > 1 ? `${pointer}: ${message}` : message,
    );
    return words.join(' ') || undefined;
  } catch {
    // A schema that cannot be read here; the host's own check holds.
    return undefined;
  }
}
