/** What operators and admins look after: plugins, tenants, keys, and the audit log. */
import { queryOptions } from '@tanstack/react-query';
import { api, idempotencyKey, take } from './client';
import { PAGE_LIMIT, useEveryPage } from './every-page';
import { key } from './keys';
import type { components } from './schema';

type Schemas = components['schemas'];

export const usePlugins = () =>
  useEveryPage('plugins', (cursor) =>
    take(api.GET('/v1/plugins', { params: { query: { limit: PAGE_LIMIT, cursor } } })),
  );

export const pluginQuery = (id: string) =>
  queryOptions({
    queryKey: key('plugins', id),
    queryFn: () => take(api.GET('/v1/plugins/{id}', { params: { path: { id } } })),
  });

export const grantsQuery = (id: string) =>
  queryOptions({
    queryKey: key('plugins', id, 'grants'),
    queryFn: () => take(api.GET('/v1/plugins/{id}/grants', { params: { path: { id } } })),
  });

export const setGrants = (id: string, body: Schemas['Grants']) =>
  take(api.PUT('/v1/plugins/{id}/grants', { params: { path: { id } }, body }));

export const grantedLimitsQuery = (id: string) =>
  queryOptions({
    queryKey: key('plugins', id, 'limits'),
    queryFn: () => take(api.GET('/v1/plugins/{id}/limits', { params: { path: { id } } })),
  });

export const setLimits = (id: string, body: Schemas['PluginLimits']) =>
  take(api.PUT('/v1/plugins/{id}/limits', { params: { path: { id } }, body }));

export const deletePlugin = (id: string, force: boolean) =>
  take(api.DELETE('/v1/plugins/{id}', { params: { path: { id }, query: { force } } }));

export const useTenants = (isEnabled = true) =>
  useEveryPage(
    'tenants',
    (cursor) => take(api.GET('/v1/tenants', { params: { query: { limit: PAGE_LIMIT, cursor } } })),
    { isEnabled },
  );

export const changeTenant = (name: string, body: Schemas['TenantPatch']) =>
  take(api.PATCH('/v1/tenants/{name}', { params: { path: { name } }, body }));

export const useApiKeys = () =>
  useEveryPage('api-keys', (cursor) =>
    take(api.GET('/v1/api-keys', { params: { query: { limit: PAGE_LIMIT, cursor } } })),
  );

export const createApiKey = (body: Schemas['NewApiKey']) =>
  take(
    api.POST('/v1/api-keys', {
      body,
      params: { header: { 'idempotency-key': idempotencyKey() } },
    }),
  );

export const revokeApiKey = (id: string) =>
  take(api.DELETE('/v1/api-keys/{id}', { params: { path: { id } } }));

export const hostsQuery = () =>
  queryOptions({
    queryKey: key('hosts'),
    queryFn: () => take(api.GET('/v1/hosts')),
    refetchInterval: 5_000,
  });

export const sourcesQuery = () =>
  queryOptions({
    queryKey: key('sources'),
    queryFn: () => take(api.GET('/v1/sources')),
    refetchInterval: 5_000,
  });

export const createSource = (body: Schemas['NewSource']) =>
  take(
    api.POST('/v1/sources', { body, params: { header: { 'idempotency-key': idempotencyKey() } } }),
  );

export const deleteSource = (id: string) =>
  take(api.DELETE('/v1/sources/{id}', { params: { path: { id } } }));

export const fetchAudit = (cursor?: string) =>
  take(api.GET('/v1/audit', { params: { query: { limit: 100, cursor } } }));

export const auditVerificationQuery = () =>
  queryOptions({
    queryKey: key('audit', 'verification'),
    queryFn: () => take(api.GET('/v1/audit/verify')),
    staleTime: 60_000,
  });
