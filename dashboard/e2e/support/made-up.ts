/** Very long lists, answered in the host's place: filling a database with them would take longer than all tests. */
import type { Page } from 'playwright-core';

const padded = (n: number) => String(n).padStart(8, '0');

/** Answers a list of `total` items, page by page. A page is what the app asks for, or `perPage`. */
async function madeUp(
  page: Page,
  path: string,
  total: number,
  item: (n: number) => object,
  perPage?: number,
) {
  await page.route(new RegExp(`${path}\\?`), async (route) => {
    const query = new URL(route.request().url()).searchParams;
    // Other parts of a page look for a few of one kind; there are none.
    if (query.has('status') || query.has('webhook_endpoint_id'))
      return route.fulfill({ json: { data: [], next_cursor: null } });
    const from = Number(query.get('cursor') ?? 0);
    const to = Math.min(total, from + (perPage ?? Number(query.get('limit') ?? 200)));
    const data = Array.from({ length: to - from }, (_, i) => item(from + i));
    await route.fulfill({ json: { data, next_cursor: to < total ? String(to) : null } });
  });
}

export const manyDeliveries = (page: Page, total: number, perPage?: number) =>
  madeUp(
    page,
    '/v1/deliveries',
    total,
    (n) => ({
      // The newest comes first, and ids grow with time.
      id: `dlv_${padded(total - n)}`,
      event_id: `evt_${padded(n)}`,
      alert_rule_id: null,
      rule_name: `Rule ${n}`,
      trigger: { type: 'event' },
      webhook_endpoint_id: 'wh_1',
      status: n % 7 ? 'delivered' : 'scheduled',
      attempt_count: 1,
      created_at: new Date(Date.UTC(2026, 0, 1) - n * 1_000).toISOString(),
    }),
    perPage,
  );

export const manyEndpoints = (page: Page, total: number, perPage?: number) =>
  madeUp(
    page,
    '/v1/webhooks',
    total,
    (n) => ({
      id: `wh_${padded(n)}`,
      name: `Receiver ${n}`,
      target: 'http',
      target_url: `https://host-${n}.example.com/hook`,
      headers: {},
      settings: {},
      is_active: true,
      circuit: { state: 'closed' },
      gone_after: 1,
      include_event_data: false,
    }),
    perPage,
  );

export const manyRules = (page: Page, total: number, perPage?: number) =>
  madeUp(
    page,
    '/v1/alert-rules',
    total,
    (n) => ({
      id: `rule_${padded(n)}`,
      name: `Rule ${n}`,
      event_type: 'workflow.failed',
      condition: { language: 'cel', source: `event.data.errored_count > ${n}` },
      webhook_endpoint_id: `wh_${padded(n)}`,
      trigger: { type: 'event' },
      retry_policy: {},
      is_active: n % 5 !== 0,
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
    }),
    perPage,
  );

/** Scrolls to the end again and again, until all of a list is there. */
export const scrolledToTheEnd = (page: Page, label: string, total: number) =>
  page.evaluate(
    async ([name, all]) => {
      const row = `[role="list"][aria-label="${name}"] [aria-setsize]`;
      while (Number(document.querySelector(row)?.getAttribute('aria-setsize')) < all) {
        window.scrollTo(0, document.documentElement.scrollHeight);
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    },
    [label, total] as const,
  );
