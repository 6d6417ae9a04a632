import assert from 'node:assert/strict';
import test from 'node:test';

import { adapter } from './plugin.js';

const bytes = (value) => new TextEncoder().encode(JSON.stringify(value));

test('a failed run becomes a message', () => {
  const delivery = {
    id: 'dlv_1',
    attempt: 1,
    now: 1767225600000n,
    seed: 7n,
    alert: bytes({
      type: 'workflow.failed',
      workflow: { graph_name: 'nightly-etl', run_id: 'r1' },
      event: { id: 'e1', source: '/s' },
    }),
    endpoint: { url: 'https://example.com/hook', settings: bytes({}), headers: [], secrets: [], extensions: [] },
    extensions: [],
  };
  const { tag, val } = adapter.next(delivery, []);
  assert.equal(tag, 'send-last');
  assert.deepEqual(JSON.parse(new TextDecoder().decode(val.body)), {
    text: 'Alert: workflow.failed nightly-etl',
    run: 'r1',
  });
});
