/*
 * ntfy: the alert as a notification, and what the server's answers mean.
 * Reference: docs.ntfy.sh/publish.
 *
 * Headers hold only words from here and from the settings; whatever an event
 * brought goes into the body, where nothing but text is read.
 */
#include <stdlib.h>

#include "date.h"
#include "json.h"
#include "target.h" /* generated from wit/ */
#include "text.h"

typedef exports_exosphere_alerts_adapter_delivery_t delivery;
typedef exports_exosphere_alerts_adapter_endpoint_t endpoint;
typedef exports_exosphere_alerts_adapter_list_exchange_t exchanges;
typedef exports_exosphere_alerts_adapter_header_t header;
typedef exports_exosphere_alerts_adapter_list_header_t headers;
typedef exports_exosphere_alerts_adapter_list_problem_t problems;
typedef exports_exosphere_alerts_adapter_problem_t problem;
typedef exports_exosphere_alerts_adapter_request_t request;
typedef exports_exosphere_alerts_adapter_response_t response;
typedef exports_exosphere_alerts_adapter_step_t step;
typedef exports_exosphere_alerts_adapter_transport_error_t transport_error;
typedef exports_exosphere_alerts_adapter_verdict_t verdict;

/* Longest value in the message, which ntfy bounds at 4,096 bytes. */
#define MAX_VALUE_BYTES 300
/* Longest part of an answer that is kept: ntfy's errors are a sentence. */
#define MAX_SAID_BYTES 200
/* A longer wait than a day is a mistake. */
#define MAX_WAIT_SECONDS 86400u

static slice slice_from(target_string_t text) { return (slice){(const char *)text.ptr, text.len}; }

/* Strings go out as they are: nothing is freed before the instance is dropped. */
static target_string_t out(slice text) {
  return (target_string_t){(uint8_t *)text.ptr, text.len};
}

static target_string_t out_text(const char *text) { return out(slice_of(text)); }

static target_string_t out_buffer(buffer text) { return out((slice){text.ptr, text.len}); }

/* Settings */

static bool is_link(slice url) {
  const char *scheme = "https://";
  size_t len = slice_of(scheme).len;
  if (url.len <= len || !slice_is((slice){url.ptr, len}, scheme)) return false;
  for (size_t i = 0; i < url.len; i++) {
    if (url.ptr[i] <= ' ' || url.ptr[i] > '~') return false;
  }
  return true;
}

/* True means good: the generated code makes a `result` of it. */
bool exports_exosphere_alerts_adapter_check(exports_exosphere_alerts_adapter_json_t *settings,
                                            problems *err) {
  slice click = json_member((slice){(const char *)settings->ptr, settings->len}, "click");
  if (click.len == 0 || is_link(json_text(click))) return true;
  problem *found = malloc(sizeof *found);
  if (found == NULL) abort();
  found->pointer = out_text("/click");
  found->message = out_text("must begin with `https://` and hold no spaces; percent-encode them");
  *err = (problems){found, 1};
  return false;
}

/* The request */

typedef struct {
  const char *type, *title, *tag;
  bool is_urgent;
} kind;

static const kind kinds[] = {
    {"workflow.started", "Workflow started", "arrow_forward", false},
    {"workflow.succeeded", "Workflow succeeded", "white_check_mark", false},
    {"workflow.duration_exceeded", "Workflow is taking too long", "hourglass", true},
    {"workflow.failed", "Workflow failed", "rotating_light", true},
};
static const kind other_kind = {"", "Alert", "bell", false};

static const kind *kind_of(slice type) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (slice_is(type, kinds[i].type)) return &kinds[i];
  }
  return &other_kind;
}

static void add_line(buffer *body, const char *label, slice value) {
  slice text = json_text(value);
  if (text.len == 0) return;
  if (body->len > 0) add_text(body, "\n");
  add_text(body, label);
  add_text(body, ": ");
  add_cut(body, text, MAX_VALUE_BYTES);
}

static buffer message(slice alert, const kind *kind) {
  static const struct {
    const char *name, *label;
  } fields[] = {
      {"graph_name", "Graph"},       {"run_id", "Run"},          {"status", "Status"},
      {"duration_ms", "Duration, ms"}, {"errored_count", "Errors"}, {"total_count", "Total"},
      {"failed_state_id", "Failed state"},
  };
  slice workflow = json_member(alert, "workflow");
  buffer body = {0};
  if (kind == &other_kind) add_line(&body, "Event", json_member(alert, "type"));
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    add_line(&body, fields[i].label, json_member(workflow, fields[i].name));
  }
  add_line(&body, "Namespace", json_member(alert, "namespace"));
  add_line(&body, "Rule", json_member(json_member(alert, "rule"), "name"));
  add_line(&body, "Time", json_member(alert, "occurred_at"));
  return body;
}

static void add_header(headers *to, const char *name, target_string_t value) {
  to->ptr[to->len++] = (header){out_text(name), value};
}

static bool has_header(const headers *in, slice name) {
  for (size_t i = 0; i < in->len; i++) {
    if (slice_is_ignoring_case(slice_from(in->ptr[i].f0), name)) return true;
  }
  return false;
}

static headers headers_for(endpoint *endpoint, const kind *kind) {
  enum { OWN = 6 };
  slice settings = {(const char *)endpoint->settings.ptr, endpoint->settings.len};
  headers all = {malloc((OWN + endpoint->headers.len) * sizeof(header)), 0};
  if (all.ptr == NULL) abort();

  slice priority = json_member(settings, "priority");
  if (priority.len == 0) priority = slice_of("4");
  buffer tags = {0};
  add_text(&tags, kind->tag);
  slice rest = json_member(settings, "tags"), tag;
  while ((tag = json_element(&rest)).len > 0) {
    add_text(&tags, ",");
    add(&tags, json_text(tag));
  }
  add_header(&all, "content-type", out_text("text/plain; charset=utf-8"));
  add_header(&all, "title", out_text(kind->title));
  add_header(&all, "priority", kind->is_urgent ? out(priority) : out_text("3"));
  add_header(&all, "tags", out_buffer(tags));
  slice click = json_text(json_member(settings, "click"));
  if (click.len > 0) add_header(&all, "click", out(click));
  for (size_t i = 0; i < endpoint->secrets.len; i++) {
    if (!slice_is(slice_from(endpoint->secrets.ptr[i].name), "token")) continue;
    /* A reference: the host puts the token in as the bytes leave. */
    buffer bearer = {0};
    add_text(&bearer, "Bearer ");
    add(&bearer, slice_from(endpoint->secrets.ptr[i].reference));
    add_header(&all, "authorization", out_buffer(bearer));
  }
  for (size_t i = 0; i < endpoint->headers.len; i++) {
    header asked_for = endpoint->headers.ptr[i];
    if (!has_header(&all, slice_from(asked_for.f0))) all.ptr[all.len++] = asked_for;
  }
  return all;
}

static request request_for(delivery *delivery) {
  slice alert = {(const char *)delivery->alert.ptr, delivery->alert.len};
  const kind *kind = kind_of(json_text(json_member(alert, "type")));
  buffer body = message(alert, kind);
  return (request){
      .method = out_text("POST"),
      .url = delivery->endpoint.url,
      .headers = headers_for(&delivery->endpoint, kind),
      .body = {(uint8_t *)body.ptr, body.len},
  };
}

/* The answer */

static verdict retry(target_option_u64_t after_ms, target_string_t reason) {
  verdict verdict = {.tag = EXPORTS_EXOSPHERE_ALERTS_ADAPTER_VERDICT_RETRY};
  verdict.val.retry.after_ms = after_ms;
  verdict.val.retry.reason = reason;
  return verdict;
}

/* Seconds, or an HTTP date (RFC 9110, 10.2.3): ntfy sends none, a proxy may. */
static target_option_u64_t retry_after_ms(const response *response, uint64_t now_ms) {
  target_option_u64_t none = {false, 0};
  for (size_t i = 0; i < response->headers.len; i++) {
    if (!slice_is(slice_from(response->headers.ptr[i].f0), "retry-after")) continue;
    slice value = slice_from(response->headers.ptr[i].f1);
    uint64_t seconds = 0, until = 0;
    if (date_seconds(value, &until)) {
      uint64_t now = now_ms / 1000;
      seconds = until > now ? until - now : 0;
      if (seconds > MAX_WAIT_SECONDS) seconds = MAX_WAIT_SECONDS;
      return (target_option_u64_t){true, seconds * 1000};
    }
    for (size_t at = 0; at < value.len; at++) {
      if (value.ptr[at] < '0' || value.ptr[at] > '9') return none;
      seconds = seconds * 10 + (uint64_t)(value.ptr[at] - '0');
      if (seconds > MAX_WAIT_SECONDS) seconds = MAX_WAIT_SECONDS;
    }
    if (value.len > 0) return (target_option_u64_t){true, seconds * 1000};
  }
  return none;
}

/* The status decides; the body only explains: {"code", "http", "error", "link"}. */
static target_string_t said(const response *response, const char *advice) {
  slice body = {(const char *)response->body.ptr, response->body.len};
  slice error = json_text(json_member(body, "error"));
  buffer reason = {0};
  add_text(&reason, "ntfy answered ");
  add_number(&reason, response->status);
  if (error.len > 0) add_text(&reason, ": ");
  add_foreign(&reason, error, MAX_SAID_BYTES);
  add_text(&reason, advice);
  return out_buffer(reason);
}

static verdict verdict_on_response(const response *response, uint64_t now_ms) {
  uint16_t status = response->status;
  verdict verdict = {0};
  if (status >= 200 && status < 300) {
    slice body = {(const char *)response->body.ptr, response->body.len};
    slice id = json_text(json_member(body, "id"));
    buffer kept = {0};
    add_foreign(&kept, id, MAX_SAID_BYTES);
    verdict.tag = EXPORTS_EXOSPHERE_ALERTS_ADAPTER_VERDICT_DELIVERED;
    verdict.val.delivered.is_some = kept.len > 0;
    verdict.val.delivered.val = out_buffer(kept);
  } else if (status == 404 || status == 410) {
    verdict.tag = EXPORTS_EXOSPHERE_ALERTS_ADAPTER_VERDICT_GONE;
    verdict.val.gone = said(response, "; check the endpoint's URL");
  } else if (status < 400 || status >= 500 || status == 408 || status == 425 || status == 429) {
    return retry(retry_after_ms(response, now_ms), said(response, ""));
  } else {
    bool is_login = status == 401 || status == 403;
    verdict.tag = EXPORTS_EXOSPHERE_ALERTS_ADAPTER_VERDICT_REJECTED;
    verdict.val.rejected = said(response, is_login ? "; check the endpoint's secret `token`" : "");
  }
  return verdict;
}

static verdict verdict_on_failure(const transport_error *error) {
  static const char *const words[] = {
      "the host name did not resolve: ", "could not connect: ", "the TLS handshake failed: ",
      "timed out: ",                     "forbidden: ",         "the exchange failed: ",
  };
  buffer reason = {0};
  add_text(&reason, words[error->tag]);
  add(&reason, slice_from(error->val.dns)); /* every case holds one string */
  return retry((target_option_u64_t){false, 0}, out_buffer(reason));
}

void exports_exosphere_alerts_adapter_next(delivery *delivery, exchanges *exchanges, step *ret) {
  if (exchanges->len == 0) {
    ret->tag = EXPORTS_EXOSPHERE_ALERTS_ADAPTER_STEP_SEND;
    ret->val.send = request_for(delivery);
    return;
  }
  exports_exosphere_alerts_adapter_outcome_t *outcome =
      &exchanges->ptr[exchanges->len - 1].outcome;
  ret->tag = EXPORTS_EXOSPHERE_ALERTS_ADAPTER_STEP_DONE;
  ret->val.done = outcome->tag == EXPORTS_EXOSPHERE_ALERTS_ADAPTER_OUTCOME_RESPONSE
                      ? verdict_on_response(&outcome->val.response, delivery->now)
                      : verdict_on_failure(&outcome->val.failed);
}
