import assert from 'node:assert/strict';
import test from 'node:test';

import { language } from './plugin.js';

const event = new TextEncoder().encode(JSON.stringify({ data: { status: 'FAILED' } }));
const { Program, evaluateAll } = language;

test('a condition holds when the field is the text', () => {
  assert.equal(Program.compile('status = FAILED').evaluate(event), true);
  assert.equal(Program.compile('status = DONE').evaluate(event), false);
  const [verdict] = evaluateAll([Program.compile('other = 1')], event);
  assert.equal(verdict.tag, 'err');
});

test('a mistake is pointed at', () => {
  assert.throws(() => Program.compile('status'), ([diagnostic]) => diagnostic.offset === 6);
});
