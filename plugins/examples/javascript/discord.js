// Discord, through a webhook: the alert as an embed, and what Discord's answers
// mean. Reference: discord.com/developers/docs/resources/webhook#execute-webhook.
//
// The webhook's URL is the secret, and is used as the endpoint gives it.

/** The interface `adapter` of wit/adapter.wit. */
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
  return last ? done(verdict(last.outcome, delivery.now)) : { tag: 'send', val: request(delivery) };
}

function request({ alert, endpoint }) {
  return {
    method: 'POST',
    url: endpoint.url,
    headers: [
      ['content-type', 'application/json'],
      ...endpoint.headers.filter(([name]) => name.toLowerCase() !== 'content-type'),
    ],
    body: new TextEncoder().encode(JSON.stringify(message(readAlert(alert), read(endpoint.settings)))),
    sign: false,
    extensions: [],
  };
}

// The message

/** What people call an event, and the embed's colour: green, amber, red. */
const KINDS = new Map([
  ['workflow.started', { what: 'Workflow started', color: 0x5865f2 }],
  ['workflow.succeeded', { what: 'Workflow succeeded', color: 0x2e9e5b }],
  ['workflow.duration_exceeded', { what: 'Workflow is taking too long', color: 0xd99a1c, mentions: true }],
  ['workflow.failed', { what: 'Workflow failed', color: 0xd13c3c, mentions: true }],
]);

const FIELDS = {
  run_id: 'Run',
  status: 'Status',
  duration_ms: 'Duration, ms',
  errored_count: 'Errors',
  total_count: 'Total',
  failed_state_id: 'Failed state',
};

function message(alert, { username, mention_role }) {
  const { what, color, mentions } = KINDS.get(alert.type) ?? { what: alert.type, color: 0x808080 };
  const { workflow, event, rule, namespace } = alert;
  const about = workflow.graph_name ?? event.subject;
  const fields = Object.entries(FIELDS)
    .filter(([name]) => workflow[name] !== undefined)
    .map(([name, label]) => ({ name: label, value: plain(workflow[name], 200), inline: true }));
  const mention = mentions ? mention_role : undefined;
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
  // Cut roughly first: an interpreter is slow, and the call's fuel is bounded.
  const chars = [...String(value).slice(0, 2 * maxChars + 2)];
  const cut = chars.length > maxChars ? [...chars.slice(0, maxChars - 1), '…'] : chars;
  const text = cut.join('').replace(/[\\*_~|`>#[\]()<@:-]/g, '\\$&');
  // Discord refuses an empty field.
  return text.trim() === '' ? '–' : text;
}

// The answer

function verdict({ tag, val }, now) {
  if (tag === 'failed') return retry(`the request failed (${val.tag}): ${val.val}`);
  const { status, headers } = val;
  const said = answer(val.body);
  const reason = `Discord answered ${status}${said.message ? `: ${said.message}` : ''}`;
  if (status >= 200 && status < 300) return { tag: 'delivered', val: undefined };
  if (status === 404 || status === 410) {
    return { tag: 'gone', val: `${reason}; make a new webhook and set the endpoint's URL` };
  }
  if ([408, 425, 429].includes(status) || status < 400 || status >= 500) {
    // The body's seconds have a fraction, and the header's are rounded up.
    return retry(reason, said.retryAfter ?? secondsToWait(headers, now));
  }
  return { tag: 'rejected', val: reason };
}

/** The header has seconds, or an HTTP date (RFC 9110, 10.2.3), as a proxy may send. */
function secondsToWait(headers, now) {
  const wait = headers.find(([name]) => name === 'retry-after')?.[1].trim() ?? '';
  if (/^[0-9]+$/.test(wait)) return Number(wait);
  // Not whatever `Date.parse` takes: it takes nearly anything.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(wait)) return undefined;
  const seconds = (Date.parse(wait) - Number(now)) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

function retry(reason, seconds) {
  // A longer wait than a day is a mistake.
  const afterMs = seconds >= 0 ? BigInt(Math.ceil(Math.min(seconds, 86_400) * 1000)) : undefined;
  return { tag: 'retry', val: { afterMs, reason } };
}

/** The status decides; the body only explains. */
function answer(body) {
  try {
    const { message, retry_after } = JSON.parse(new TextDecoder().decode(body));
    return {
      message: typeof message === 'string' ? message.slice(0, 300) : undefined,
      retryAfter: typeof retry_after === 'number' ? retry_after : undefined,
    };
  } catch {
    return {}; // Whatever stands in between answered, perhaps with a page.
  }
}

function done(val) {
  return { tag: 'done', val };
}

function read(json) {
  return JSON.parse(new TextDecoder().decode(json));
}

/**
 * A run's id may have more digits than a number holds; then numbers are read as
 * they were written. That calls a function for every value of the alert, and
 * for a large one the call's fuel would not do: there it is rounded.
 */
function readAlert(json) {
  const alert = read(json);
  const isExact = (value) => typeof value !== 'number' || Number.isSafeInteger(value);
  if (json.length > 16_384 || Object.values(alert.workflow).every(isExact)) return alert;
  return JSON.parse(new TextDecoder().decode(json), (_, value, context) =>
    typeof value === 'number' ? context?.source ?? value : value,
  );
}
