/** The demo host that is pictured: waits until there is something to see, and finds the things to open. */

/** A first start compiles the plugins and lives through a day. */
const PATIENCE_MS = 300_000;
const PAUSE_MS = 500;
export const NAMESPACE = 'analytics';

/** Ids of what the pictures show. */
export interface Scene {
  slack: string;
  partner: string;
  threshold: string;
  disabled: string;
  /** A dead delivery with several attempts. */
  dead: string;
  /** One that was tried and is tried again. */
  waiting: string;
  /** One that several rules looked at. */
  event: string;
}

type Row = Record<string, unknown> & { id: string };

export interface Api {
  host: string;
  key: string;
}

async function list({ host, key }: Api, path: string): Promise<Row[]> {
  const answer = await fetch(host + path, {
    headers: { 'x-api-key': key, 'x-exosphere-namespace': NAMESPACE },
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { data: Row[] }).data;
}

async function look(api: Api): Promise<Scene> {
  const need = (row: Row | undefined, what: string) => {
    if (!row) throw new Error(`the demo has no ${what}`);
    return row.id;
  };
  const endpoints = await list(api, '/v1/webhooks?limit=100');
  const rules = await list(api, '/v1/alert-rules?limit=100');
  const partner = need(
    endpoints.find((endpoint) => endpoint.name === 'Partner: Fabrikam'),
    'partner',
  );
  const dead = await list(api, `/v1/deliveries?status=dead&webhook_endpoint_id=${partner}`);
  const waiting = await list(api, '/v1/deliveries?status=scheduled&limit=200');
  const tried = waiting.filter((delivery) => Number(delivery.attempt_count) > 0);
  const failed = await list(api, '/v1/events?type=workflow.failed&limit=20');
  need(
    endpoints.find((endpoint) => (endpoint.circuit as { state: string }).state === 'open'),
    'open circuit',
  );
  return {
    slack: need(
      endpoints.find((endpoint) => endpoint.name === '#data-oncall'),
      'Slack channel',
    ),
    partner,
    threshold: need(
      rules.find((rule) => rule.name === 'One graph fails again and again'),
      'threshold',
    ),
    disabled: need(
      rules.find((rule) => rule.disabled_reason),
      'rule that the host switched off',
    ),
    dead: need(
      dead.find((delivery) => Number(delivery.attempt_count) > 2),
      'dead letter',
    ),
    waiting: need(
      // The partner's answers are worth reading, but nothing of theirs waits at times.
      tried.find((delivery) => delivery.webhook_endpoint_id === partner) ?? tried[0],
      'retry under way',
    ),
    event: need(
      failed.find((event) => (event.rules as unknown[]).length > 3),
      'failed run',
    ),
  };
}

/** Waits until everything is there that the pictures show. */
export async function setTheScene(api: Api): Promise<Scene> {
  const deadline = Date.now() + PATIENCE_MS;
  let told = '';
  for (;;) {
    try {
      return await look(api);
    } catch (missing) {
      if (Date.now() > deadline) throw missing;
      const why = String(missing);
      if (why !== told) console.log(`screenshots: waiting; ${why}`);
      told = why;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
