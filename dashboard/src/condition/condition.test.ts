import { expect, test } from 'vitest';
import { diagnosticOf } from './diagnostic';
import { fieldsOf } from './fields';

test('a mistake is found by the bytes that the host counts, whatever stands before it', () => {
  const source = 'event.data.name == "größe" && > 3';
  const bytes = new TextEncoder().encode(source.slice(0, source.indexOf('> 3'))).length;
  const found = diagnosticOf(
    `does not compile at line 1, column 31 (byte ${bytes} and the next 1): extraneous input`,
    source,
  );
  expect(source.slice(found?.from, found?.to)).toBe('>');
  expect(found?.message).toBe('extraneous input');
});

test('without bytes, line and column lead there', () => {
  const found = diagnosticOf('does not compile at line 2, column 3: no', 'a &&\nb c');
  expect(found).toMatchObject({ from: 7, to: 8, line: 2, column: 3 });
});

test('a message without a place is none', () =>
  expect(diagnosticOf('is too long', 'x')).toBeNull());

test('fields are offered by their path with a value; odd names and endless depth are not', () => {
  const deep = JSON.parse('{"a":'.repeat(20) + '1' + '}'.repeat(20)) as unknown;
  const labels = fieldsOf([{ type: 'x', data: { errored_count: 3, 'odd name': 1, deep } }]).map(
    (field) => field.label,
  );
  expect(labels).toContain('event.data.errored_count');
  expect(labels.some((label) => label.includes('odd'))).toBe(false);
  expect(labels.every((label) => label.split('.').length <= 7)).toBe(true);
});
