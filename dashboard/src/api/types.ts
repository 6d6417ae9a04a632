/** Names for what the API carries, taken from its description. */
import type { components } from './schema';

type Schemas = components['schemas'];
export type Endpoint = Schemas['WebhookEndpoint'];
export type NewEndpoint = Schemas['NewWebhookEndpoint'];
export type EndpointPatch = Schemas['WebhookEndpointPatch'];
export type Rule = Schemas['AlertRule'];
export type NewRule = Schemas['NewAlertRule'];
export type RulePatch = Schemas['AlertRulePatch'];
export type Trigger = Schemas['Trigger'];
export type RetryPolicy = Schemas['RetryPolicy'];
export type RateLimit = Schemas['RateLimit'];
export type Condition = Schemas['Condition'];
export type Delivery = Schemas['Delivery'];
export type DeliveryStatus = Schemas['DeliveryStatus'];
export type Attempt = Schemas['Attempt'];
export type StoredEvent = Schemas['StoredEvent'];
export type RuleOutcome = Schemas['RuleOutcome'];
export type Backtest = Schemas['Backtest'];
export type Plugin = Schemas['Plugin'];
export type ApiKey = Schemas['ApiKey'];
export type Role = Schemas['Role'];
export type Tenant = Schemas['Tenant'];
export type AuditEntry = Schemas['AuditEntry'];
export type Preview = Schemas['Preview'];
export type WebhookDraft = Schemas['WebhookDraft'];
export type DraftTest = Schemas['DraftTest'];
export type DeliveryCounts = Schemas['DeliveryCounts'];
export type Host = Schemas['Host'];
export type Source = Schemas['Source'];
export type NewSource = Schemas['NewSource'];

/** A target plugin's manifest: what its form is made from. */
export interface TargetManifest {
  summary?: string;
  settings?: Record<string, unknown>;
  secrets?: { name: string; summary?: string; required?: boolean }[];
  hosts?: string[];
  default_url?: string;
  url_is_secret?: boolean;
  [more: string]: unknown;
}

/** A request as it was sent, with references in place of secrets. */
export interface SentRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: string;
  sign?: boolean;
}

/** What came of a request. */
export interface Exchange {
  request: SentRequest;
  outcome: {
    response?: { status: number; headers: [string, string][]; body: string };
    failed?: { kind: string; detail: string };
    incomplete?: string;
    [more: string]: unknown;
  };
}

/** A CloudEvent, as it was posted. */
export interface CloudEvent {
  id: string;
  type: string;
  source: string;
  subject?: string;
  time?: string;
  data?: unknown;
  [attribute: string]: unknown;
}

export const eventOf = (stored: StoredEvent): CloudEvent => stored.event as unknown as CloudEvent;
export const exchangesOf = (attempt: Attempt): Exchange[] =>
  attempt.exchanges as unknown as Exchange[];
export const manifestOf = (plugin: Plugin): TargetManifest =>
  (plugin.manifest ?? {}) as unknown as TargetManifest;
