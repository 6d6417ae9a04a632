// Discord, through a webhook: the alert as an embed, and what Discord's answers
// mean. Reference: discord.com/developers/docs/resources/webhook#execute-webhook.
//
// The webhook's URL is the secret, and is used as the endpoint gives it.

/** @implements the interface `adapter` of wit/adapter.wit */
export const adapter = { check, next };

/** Throws the problems: that is how a function answers the `err` of a `result`. */
function check(settings) {
  const { username = '' } = read(settings);
  if (/discord|clyde/i.test(username)) {
    throw [{ pointer: '/username', message: 'Discord refuses names with `discord` or `clyde` in them' }];
  }
}

function next(delivery, exchanges) {
  const last = exchanges.at(-1);
  return last ? done(verdict(last.outcome)) : { tag: 'send', val: request(delivery) };
}

function request({ alert, endpoint }) {
  return {
    method: 'POST',
    url: endpoint.url,
    headers: [
      ['content-type', 'application/json'],
      ...endpoint.headers.filter(([name]) => name.toLowerCase() !== 'content-type'),
    ],
    body: new TextEncoder().encode(JSON.stringify(message(read(alert), read(endpoint.settings)))),
    sign: false,
    extensions: [],
  };
}

// The message

/** What people call an event, and the embed's colour: green, amber, red. */
const KINDS = {
  'workflow.started': ['Workflow started', 0x5865f2],
  'workflow.succeeded': ['Workflow succeeded', 0x2e9e5b],
  'workflow.duration_exceeded': ['Workflow is taking too long', 0xd99a1c],
  'workflow.failed': ['Workflow failed', 0xd13c3c],
};
const MENTIONED = ['workflow.failed', 'workflow.duration_exceeded'];

const FIELDS = {
  run_id: 'Run',
  status: 'Status',
  duration_ms: 'Duration, ms',
  errored_count: 'Errors',
  total_count: 'Total',
  failed_state_id: 'Failed state',
};

function message(alert, { username, mention_role }) {
  const [what, color] = KINDS[alert.type] ?? [alert.type, 0x808080];
  const { workflow, event, rule, namespace } = alert;
  const about = workflow.graph_name ?? event.subject;
  const fields = Object.entries(FIELDS)
    .filter(([name]) => workflow[name] !== undefined)
    .map(([name, label]) => ({ name: label, value: plain(workflow[name], 200), inline: true }));
  const mention = MENTIONED.includes(alert.type) ? mention_role : undefined;
  return {
    username,
    content: mention && `<@&${mention}>`,
    // An event must not notify people by what it holds.
    allowed_mentions: { parse: [], roles: mention ? [mention] : [] },
    embeds: [
      {
        title: plain(about === undefined ? what : `${what}: ${about}`, 120),
        description: plain(`${rule.name}, in ${namespace}`, 400),
        color,
        fields,
        timestamp: alert.occurred_at,
      },
    ],
  };
}

/**
 * Text that Discord shows as it is. Its limits (title 256, field 1,024, all
 * together 6,000 characters) hold for twice `maxChars`, as each may be escaped.
 */
function plain(value, maxChars) {
  const chars = [...String(value)];
  const cut = chars.length > maxChars ? [...chars.slice(0, maxChars - 1), '…'] : chars;
  const text = cut.join('').replace(/[\\*_~|`>#[\]()<@:-]/g, '\\$&');
  // Discord refuses an empty field.
  return text.trim() === '' ? '–' : text;
}

// The answer

function verdict({ tag, val }) {
  if (tag === 'failed') return retry(`the request failed (${val.tag}): ${val.val}`);
  const { status, headers } = val;
  const said = answer(val.body);
  const reason = `Discord answered ${status}${said.message ? `: ${said.message}` : ''}`;
  if (status >= 200 && status < 300) return { tag: 'delivered', val: undefined };
  if (status === 404 || status === 410) {
    return { tag: 'gone', val: `${reason}; make a new webhook and set the endpoint's URL` };
  }
  if ([408, 425, 429].includes(status) || status < 400 || status >= 500) {
    // Seconds: the body's have a fraction, and the header's are rounded up.
    const seconds = said.retry_after ?? headers.find(([name]) => name === 'retry-after')?.[1];
    return retry(reason, Number(seconds));
  }
  return { tag: 'rejected', val: reason };
}

function retry(reason, seconds = NaN) {
  const afterMs = seconds >= 0 ? BigInt(Math.ceil(Math.min(seconds, 86_400) * 1000)) : undefined;
  return { tag: 'retry', val: { afterMs, reason } };
}

/** The status decides; the body only explains. */
function answer(body) {
  try {
    const said = JSON.parse(new TextDecoder().decode(body));
    return { message: said.message && String(said.message).slice(0, 300), retry_after: said.retry_after };
  } catch {
    return {}; // Whatever stands in between answered, perhaps with a page.
  }
}

function done(val) {
  return { tag: 'done', val };
}

/** Numbers as they were written: a run's id may have more digits than a number holds. */
function read(json) {
  return JSON.parse(new TextDecoder().decode(json), (_, value, context) =>
    typeof value === 'number' ? context?.source ?? value : value,
  );
}
