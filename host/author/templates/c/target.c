/*
 * A target adapter: one alert, one request, with the alert as it is.
 *
 * A pure function. The host performs the request, puts secrets in the place of
 * their references, and shows the answer to `next` when it is asked to.
 */
#include <stdlib.h>
#include <string.h>

#include "target.h" /* generated from wit/ */
#include "text.h"

typedef exports_exosphere_alerts_adapter_delivery_t delivery;
typedef exports_exosphere_alerts_adapter_endpoint_t endpoint;
typedef exports_exosphere_alerts_adapter_header_t header;

/* Strings go out as they are: nothing is freed before the instance is dropped. */
static target_string_t out(const char *words) {
  return (target_string_t){(uint8_t *)words, strlen(words)};
}

static bool is_name(target_string_t name, const char *other) {
  return text_same_name((text){(const char *)name.ptr, name.len}, (text){other, strlen(other)});
}

/* Called when an endpoint is saved. True means good. The schema in plugin.toml
 * stands before it and says nearly everything already. */
bool exports_exosphere_alerts_adapter_check(exports_exosphere_alerts_adapter_json_t *settings,
                                            exports_exosphere_alerts_adapter_list_problem_t *err) {
  (void)settings;
  (void)err;
  return true;
}

static target_string_t bearer(target_string_t reference) {
  static const char scheme[] = "Bearer ";
  size_t scheme_len = sizeof scheme - 1;
  uint8_t *value = malloc(scheme_len + reference.len);
  memcpy(value, scheme, scheme_len);
  memcpy(value + scheme_len, reference.ptr, reference.len);
  return (target_string_t){value, scheme_len + reference.len};
}

void exports_exosphere_alerts_adapter_next(delivery *delivery,
                                           exports_exosphere_alerts_adapter_list_exchange_t *exchanges,
                                           exports_exosphere_alerts_adapter_step_t *step) {
  (void)exchanges;
  endpoint *endpoint = &delivery->endpoint;
  header *headers = malloc((endpoint->headers.len + 3) * sizeof(header));
  size_t count = 0;
  headers[count++] = (header){out("content-type"), out("application/json")};
  /* The target drops repeats by it: an alert is sent at least once. */
  headers[count++] = (header){out("idempotency-key"), delivery->id};
  for (size_t i = 0; i < endpoint->secrets.len; i++) {
    if (is_name(endpoint->secrets.ptr[i].name, "token")) {
      headers[count++] =
          (header){out("authorization"), bearer(endpoint->secrets.ptr[i].reference)};
      break;
    }
  }
  for (size_t i = 0; i < endpoint->headers.len; i++) {
    target_string_t name = endpoint->headers.ptr[i].f0;
    if (is_name(name, "content-type") || is_name(name, "idempotency-key") ||
        is_name(name, "authorization")) {
      continue;
    }
    headers[count++] = endpoint->headers.ptr[i];
  }
  /* The last request: 2xx is delivered, 404 and 410 are gone, all else is
   * retried. To judge the answer yourself, answer with SEND here, and with DONE
   * when `exchanges` has it. */
  memset(step, 0, sizeof *step);
  step->tag = EXPORTS_EXOSPHERE_ALERTS_ADAPTER_STEP_SEND_LAST;
  exports_exosphere_alerts_adapter_request_t *request = &step->val.send_last;
  request->method = out("POST");
  request->url = endpoint->url;
  request->headers.ptr = headers;
  request->headers.len = count;
  request->body.ptr = delivery->alert.ptr;
  request->body.len = delivery->alert.len;
  request->sign = true;
}
