/** The pages and their addresses. Filters live in the address, so that every view can be sent to somebody. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  retainSearchParams,
} from '@tanstack/react-router';
import { connection } from './api/connection';
import type { DeliveryStatus } from './api/types';
import { App } from './frame/app';
import { Failure, Skeleton } from './ui/states';

/** What the address may carry: texts, and nothing that is empty. */
function texts<K extends string>(...names: K[]) {
  return (search: Record<string, unknown>): { [P in K]?: string } => {
    // What is no text of that kind is taken out by name: else it would stay as it was written.
    const found: { [P in K]?: string | undefined } = {};
    for (const name of names) {
      const value = search[name];
      const text = typeof value === 'number' ? String(value) : value;
      const isText = typeof text === 'string' && text !== '';
      const isRead = !MOMENTS.includes(name) || !Number.isNaN(Date.parse(String(text)));
      found[name] = isText && isRead ? text : undefined;
    }
    return found as { [P in K]?: string };
  };
}

/** Those that are a time. */
const MOMENTS = ['from', 'to'];
const STATUSES = ['scheduled', 'leased', 'delivered', 'dead', 'canceled', 'skipped'];

const root = createRootRoute({
  component: App,
  validateSearch: (search: Record<string, unknown>): { ns?: string } => texts('ns')(search),
  search: { middlewares: [retainSearchParams<{ ns?: string }>(['ns'])] },
  beforeLoad: ({ search, preload }) => {
    // A link that the mouse passes over is loaded ahead, and not gone to.
    if (search.ns && !preload) connection.set({ namespace: search.ns });
  },
  notFoundComponent: () => <Failure error={new Error('No page has this address.')} />,
});

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview/page'), 'OverviewPage'),
});

/** Drawn by the frame itself, before anybody is signed in. */
const portal = createRoute({ getParentRoute: () => root, path: '/portal' });

const webhooks = createRoute({
  getParentRoute: () => root,
  path: '/webhooks',
  validateSearch: texts('q', 'state', 'target', 'add'),
  component: lazyRouteComponent(() => import('./pages/webhooks/list'), 'WebhooksPage'),
});

const webhook = createRoute({
  getParentRoute: () => root,
  path: '/webhooks/$id',
  component: lazyRouteComponent(() => import('./pages/webhooks/detail'), 'WebhookPage'),
});

const rules = createRoute({
  getParentRoute: () => root,
  path: '/rules',
  validateSearch: texts('q', 'state', 'endpoint'),
  component: lazyRouteComponent(() => import('./pages/rules/list'), 'RulesPage'),
});

const newRule = createRoute({
  getParentRoute: () => root,
  path: '/rules/new',
  validateSearch: texts('endpoint', 'type'),
  component: lazyRouteComponent(() => import('./pages/rules/new'), 'NewRulePage'),
});

const rule = createRoute({
  getParentRoute: () => root,
  path: '/rules/$id',
  component: lazyRouteComponent(() => import('./pages/rules/detail'), 'RulePage'),
});

const deliveries = createRoute({
  getParentRoute: () => root,
  path: '/deliveries',
  validateSearch: (search: Record<string, unknown>) => {
    const found = texts('status', 'rule', 'endpoint', 'event', 'from', 'to')(search);
    const status = found.status && STATUSES.includes(found.status) ? found.status : undefined;
    return { ...found, status } as Omit<typeof found, 'status'> & { status?: DeliveryStatus };
  },
  component: lazyRouteComponent(() => import('./pages/deliveries/list'), 'DeliveriesPage'),
});

const delivery = createRoute({
  getParentRoute: () => root,
  path: '/deliveries/$id',
  component: lazyRouteComponent(() => import('./pages/deliveries/detail'), 'DeliveryPage'),
});

const deadLetters = createRoute({
  getParentRoute: () => root,
  path: '/dead-letters',
  validateSearch: texts('rule', 'endpoint', 'from', 'to', 'sent'),
  component: lazyRouteComponent(() => import('./pages/dead-letters/page'), 'DeadLettersPage'),
});

const events = createRoute({
  getParentRoute: () => root,
  path: '/events',
  validateSearch: texts('type', 'from', 'to', 'post'),
  component: lazyRouteComponent(() => import('./pages/events/list'), 'EventsPage'),
});

const event = createRoute({
  getParentRoute: () => root,
  path: '/events/$id',
  component: lazyRouteComponent(() => import('./pages/events/detail'), 'EventPage'),
});

const plugins = createRoute({
  getParentRoute: () => root,
  path: '/plugins',
  component: lazyRouteComponent(() => import('./pages/plugins/list'), 'PluginsPage'),
});

const plugin = createRoute({
  getParentRoute: () => root,
  path: '/plugins/$id',
  component: lazyRouteComponent(() => import('./pages/plugins/detail'), 'PluginPage'),
});

const keys = createRoute({
  getParentRoute: () => root,
  path: '/keys',
  component: lazyRouteComponent(() => import('./pages/keys/page'), 'KeysPage'),
});

const tenants = createRoute({
  getParentRoute: () => root,
  path: '/tenants',
  validateSearch: texts('q'),
  component: lazyRouteComponent(() => import('./pages/tenants/page'), 'TenantsPage'),
});

const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: texts('q'),
  component: lazyRouteComponent(() => import('./pages/audit/page'), 'AuditPage'),
});

const hosts = createRoute({
  getParentRoute: () => root,
  path: '/hosts',
  component: lazyRouteComponent(() => import('./pages/hosts/page'), 'HostsPage'),
});

const sources = createRoute({
  getParentRoute: () => root,
  path: '/sources',
  component: lazyRouteComponent(() => import('./pages/sources/page'), 'SourcesPage'),
});

const setup = [overview, webhooks, webhook, rules, newRule, rule];
const record = [deliveries, delivery, deadLetters, events, event];
const operators = [plugins, plugin, keys, tenants, hosts, sources, audit];

export const router = createRouter({
  routeTree: root.addChildren([portal, ...setup, ...record, ...operators]),
  basepath: '/settings/alerts',
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Skeleton />,
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} onRetry={reset} />,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
