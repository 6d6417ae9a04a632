// A target adapter: one alert, one request.
//
// A pure function. The host performs the request, puts secrets in the place of
// their references, and shows the answer to `next` when it is asked to.

/** The interface `adapter` of wit/adapter.wit. */
export const adapter = { check, next };

/** Called when an endpoint is saved. Throws the problems, if there are any. */
function check(settings) {
  const { title = 'Alert' } = read(settings);
  if (typeof title !== 'string') {
    throw [{ pointer: '/title', message: 'must be text' }];
  }
}

function next(delivery) {
  // The last request: 2xx is delivered, 404 and 410 are gone, all else is
  // retried. To judge the answer yourself, answer with `send` here, and with
  // `{ tag: 'done', val: verdict }` when the second argument has it.
  return { tag: 'send-last', val: request(delivery) };
}

function request({ id, alert, endpoint }) {
  const { title = 'Alert' } = read(endpoint.settings);
  const { type, workflow, event } = read(alert);
  const about = workflow.graph_name ?? event.subject ?? '';
  const message = { text: `${title}: ${type} ${about}`.trim(), run: workflow.run_id };
  const headers = [
    ['content-type', 'application/json'],
    // The target drops repeats by it: an alert is sent at least once.
    ['idempotency-key', id],
  ];
  const token = endpoint.secrets.find(({ name }) => name === 'token');
  if (token) headers.push(['authorization', `Bearer ${token.reference}`]);
  const own = new Set(headers.map(([name]) => name));
  headers.push(...endpoint.headers.filter(([name]) => !own.has(name.toLowerCase())));
  return {
    method: 'POST',
    url: endpoint.url,
    headers,
    body: new TextEncoder().encode(JSON.stringify(message)),
    sign: true,
    extensions: [],
  };
}

function read(bytes) {
  return JSON.parse(new TextDecoder().decode(bytes));
}
