/** Alert rules: read, made, changed, tried on the past. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, idempotencyKey, ifMatch, take, takeTagged } from './client';
import { PAGE_LIMIT, useEveryPage } from './every-page';
import { key } from './keys';
import type { NewRule, RulePatch } from './types';

export function useRules() {
  return useEveryPage('rules', (cursor) =>
    take(api.GET('/v1/alert-rules', { params: { query: { limit: PAGE_LIMIT, cursor } } })),
  );
}

export const ruleQuery = (id: string) =>
  queryOptions({
    queryKey: key('rules', id),
    queryFn: () => takeTagged(api.GET('/v1/alert-rules/{id}', { params: { path: { id } } })),
  });

export const createRule = (body: NewRule, idempotency = idempotencyKey()) =>
  take(
    api.POST('/v1/alert-rules', {
      body,
      params: { header: { 'idempotency-key': idempotency } },
    }),
  );

export const changeRule = (id: string, body: RulePatch, etag: string | null = null) =>
  takeTagged(
    api.PATCH('/v1/alert-rules/{id}', { body, params: { path: { id } }, headers: ifMatch(etag) }),
  );

export const deleteRule = (id: string) =>
  take(api.DELETE('/v1/alert-rules/{id}', { params: { path: { id } } }));

/** What the rule would have sent for the events that came in from `from` up to `to`. */
export const backtest = (rule: NewRule, from: string, to?: string, signal?: AbortSignal) =>
  take(
    api.POST('/v1/alert-rules/backtest', {
      body: { rule, from, to },
      ...(signal ? { signal } : {}),
    }),
  );

export function useRuleMutation<A, R>(change: (argument: A) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => client.invalidateQueries({ queryKey: key('rules') }),
  });
}
