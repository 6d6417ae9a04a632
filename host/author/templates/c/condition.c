/*
 * A condition language: `status = FAILED` holds when the event has the pair
 * "status":"FAILED" somewhere in it. A sketch to be replaced: it finds text, and
 * does not read JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "condition.h" /* generated from wit/ */
#include "text.h"

struct exports_exosphere_alerts_language_program_t {
  /* "status":"FAILED" */
  text pair;
};

typedef exports_exosphere_alerts_language_own_program_t own_program;
typedef exports_exosphere_alerts_language_program_t program;
typedef exports_exosphere_alerts_language_diagnostic_t diagnostic;
typedef exports_exosphere_alerts_language_json_t json;

static bool refuse(exports_exosphere_alerts_language_list_diagnostic_t *err, const char *message,
                   size_t offset) {
  diagnostic *one = malloc(sizeof *one);
  one->message = (condition_string_t){(uint8_t *)message, strlen(message)};
  one->offset = (uint32_t)offset;
  one->length = 0;
  err->ptr = one;
  err->len = 1;
  return false;
}

static char *append(char *at, text t) { return (char *)memcpy(at, t.ptr, t.len) + t.len; }

/* When a rule is saved. True means that it compiles; offsets are in bytes. */
bool exports_exosphere_alerts_language_static_program_compile(
    condition_string_t *source, own_program *ret,
    exports_exosphere_alerts_language_list_diagnostic_t *err) {
  text whole = {(const char *)source->ptr, source->len};
  size_t at = text_find(whole, (text){"=", 1});
  if (at == whole.len) return refuse(err, "expected `=`, as in `status = FAILED`", whole.len);
  text field = text_trim((text){whole.ptr, at});
  text value = text_trim((text){whole.ptr + at + 1, whole.len - at - 1});
  if (field.len == 0) return refuse(err, "expected the name of a field before `=`", 0);
  char *pair = malloc(field.len + value.len + 5), *end = pair;
  end = append(end, (text){"\"", 1});
  end = append(end, field);
  end = append(end, (text){"\":\"", 3});
  end = append(end, value);
  end = append(end, (text){"\"", 1});
  program *compiled = malloc(sizeof *compiled);
  compiled->pair = (text){pair, (size_t)(end - pair)};
  *ret = exports_exosphere_alerts_language_program_new(compiled);
  return true;
}

static bool holds(const program *program, const json *event) {
  text whole = {(const char *)event->ptr, event->len};
  return text_find(whole, program->pair) < whole.len;
}

bool exports_exosphere_alerts_language_method_program_evaluate(
    exports_exosphere_alerts_language_borrow_program_t self, json *event, bool *ret,
    exports_exosphere_alerts_language_eval_error_t *err) {
  (void)err;
  *ret = holds(self, event);
  return true;
}

void exports_exosphere_alerts_language_evaluate_all(
    exports_exosphere_alerts_language_list_borrow_program_t *programs, json *event,
    exports_exosphere_alerts_language_list_result_bool_eval_error_t *ret) {
  ret->len = programs->len;
  ret->ptr = calloc(programs->len + 1, sizeof *ret->ptr);
  for (size_t i = 0; i < programs->len; i++) {
    ret->ptr[i].is_err = false;
    ret->ptr[i].val.ok = holds(programs->ptr[i], event);
  }
  /* The event stays until the instance goes, unless it is given back; this
   * library's `free` gives nothing back, so much use makes the instance grow,
   * and the host then replaces it. */
}

void exports_exosphere_alerts_language_program_destructor(program *old) { free(old); }
