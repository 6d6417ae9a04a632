{{/* Names, labels, and what must hold between values. */}}

{{- define "alerts.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "alerts.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "alerts.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "alerts.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "alerts.selector" -}}
app.kubernetes.io/name: {{ include "alerts.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "alerts.labels" -}}
{{ include "alerts.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "alerts.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "alerts.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "alerts.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "alerts.isPostgres" -}}
{{- if eq .Values.database.kind "postgres" -}}yes{{- end -}}
{{- end -}}

{{/* Whether more than one host may run at once. */}}
{{- define "alerts.isMany" -}}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) -}}yes{{- end -}}
{{- end -}}

{{/* The settings that the chart itself decides. */}}
{{- define "alerts.ownSettings" -}}
ALERTS_LISTEN ALERTS_DATABASE_URL ALERTS_CACHE_DIR ALERTS_ROLLOUT ALERTS_ENCRYPTION_KEYS ALERTS_BOOTSTRAP_KEY ALERTS_EXOSPHERE_KEY ALERTS_PLUGINS_DIR ALERTS_TLS_CERT ALERTS_TLS_KEY
{{- end -}}

{{/* Those under `settings`. Helm takes what is null out of the values, so they are not there to be asked. */}}
{{- define "alerts.settings" -}}
ALERTS_ALLOW_TARGETS ALERTS_EXOSPHERE_INTERVAL_MS ALERTS_EXOSPHERE_NAMESPACES ALERTS_EXOSPHERE_URL ALERTS_FRAME_ANCESTORS ALERTS_KEEP_ATTEMPTS_DAYS ALERTS_KEEP_DELIVERIES_DAYS ALERTS_KEEP_EVENTS_DAYS ALERTS_LINK_TEMPLATE ALERTS_LOG ALERTS_LOG_FORMAT ALERTS_MAX_API_KEYS ALERTS_MAX_CONNECTIONS ALERTS_MAX_CONNECTIONS_PER_ADDRESS ALERTS_MAX_RULES ALERTS_MAX_WEBHOOKS ALERTS_NAME_SERVERS ALERTS_PLUGIN_DEADLINE_MS ALERTS_PLUGIN_FILE_MIB ALERTS_PLUGIN_MEMORY_MIB ALERTS_PLUGIN_THREADS ALERTS_PUBLIC_URL ALERTS_RATE_LIMIT ALERTS_TENANT_RATE_LIMIT
{{- end -}}

{{/* What a schema cannot say: values that fit alone and not together. Each message names the value. */}}
{{- define "alerts.check" -}}
{{- $v := .Values -}}
{{- if include "alerts.isPostgres" . -}}
  {{- if not $v.database.postgres.urlSecret.name -}}
    {{- fail "database.postgres.urlSecret.name: is empty; name the secret that holds the URL of the Postgres database" -}}
  {{- end -}}
  {{- if not $v.secrets.encryptionKeys.name -}}
    {{- fail "secrets.encryptionKeys.name: is empty; with database.kind=postgres all hosts share encryption keys, so name the secret that holds them" -}}
  {{- end -}}
{{- else -}}
  {{- if $v.autoscaling.enabled -}}
    {{- fail "autoscaling.enabled: is true with database.kind=sqlite, which serves one host; use database.kind=postgres" -}}
  {{- end -}}
  {{- if gt (int $v.replicas) 1 -}}
    {{- fail (printf "replicas: is %d with database.kind=sqlite, which serves one host; use database.kind=postgres" (int $v.replicas)) -}}
  {{- end -}}
{{- end -}}
{{- if and $v.autoscaling.enabled (gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) -}}
  {{- fail (printf "autoscaling.minReplicas: is %d, more than autoscaling.maxReplicas, %d" (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- $least := add $v.drainSeconds 10 -}}
{{- if lt (int $v.terminationGracePeriodSeconds) (int $least) -}}
  {{- fail (printf "terminationGracePeriodSeconds: is %d; drainSeconds and the ten seconds of the host's end need %d" (int $v.terminationGracePeriodSeconds) (int $least)) -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.host) -}}
  {{- fail "ingress.host: is empty; name the host that the ingress serves" -}}
{{- end -}}
{{- if and $v.settings.ALERTS_EXOSPHERE_URL (not $v.secrets.exosphereKey.name) -}}
  {{- fail "secrets.exosphereKey.name: is empty with settings.ALERTS_EXOSPHERE_URL; name the secret that holds the state-manager's own" -}}
{{- end -}}
{{- if and (eq $v.plugins.from "claim") (not $v.plugins.claim.name) -}}
  {{- fail "plugins.claim.name: is empty with plugins.from=claim; name the claim that holds the plugins" -}}
{{- end -}}
{{- if and (eq $v.plugins.from "image") (not $v.plugins.image.reference) -}}
  {{- fail "plugins.image.reference: is empty with plugins.from=image; name the image that holds the plugins" -}}
{{- end -}}
{{- $own := splitList " " (include "alerts.ownSettings" .) -}}
{{- $settings := splitList " " (include "alerts.settings" .) -}}
{{- range $v.extraEnv -}}
  {{- if has .name $own -}}
    {{- fail (printf "extraEnv: %s is decided by other values of this chart; take it out" .name) -}}
  {{- end -}}
  {{- if has .name $settings -}}
    {{- fail (printf "extraEnv: %s belongs under settings; set settings.%s" .name .name) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
