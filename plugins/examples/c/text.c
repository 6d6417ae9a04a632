#include "text.h"

#include <stdlib.h>
#include <string.h>

slice slice_of(const char *text) { return (slice){text, strlen(text)}; }

bool slice_is(slice a, const char *text) {
  return a.len == strlen(text) && memcmp(a.ptr, text, a.len) == 0;
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c; }

bool slice_is_ignoring_case(slice a, slice b) {
  if (a.len != b.len) return false;
  for (size_t i = 0; i < a.len; i++) {
    if (lower(a.ptr[i]) != lower(b.ptr[i])) return false;
  }
  return true;
}

void add(buffer *buffer, slice text) {
  if (text.len > buffer->room - buffer->len) {
    size_t room = 2 * buffer->room + text.len;
    buffer->ptr = realloc(buffer->ptr, room);
    if (buffer->ptr == NULL) abort();
    buffer->room = room;
  }
  if (text.len > 0) memcpy(buffer->ptr + buffer->len, text.ptr, text.len);
  buffer->len += text.len;
}

void add_text(buffer *buffer, const char *text) { add(buffer, slice_of(text)); }

void add_number(buffer *buffer, uint32_t number) {
  char digits[10];
  size_t first = sizeof digits;
  do {
    digits[--first] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  add(buffer, (slice){digits + first, sizeof digits - first});
}

void add_cut(buffer *buffer, slice text, size_t max) {
  if (text.len <= max) {
    add(buffer, text);
    return;
  }
  size_t len = max;
  /* The bytes of UTF-8 that begin with 10 go on with a character. */
  while (len > 0 && (text.ptr[len] & 0xc0) == 0x80) len--;
  add(buffer, (slice){text.ptr, len});
  add_text(buffer, "…");
}

void add_foreign(buffer *buffer, slice bytes, size_t max) {
  for (size_t i = 0; i < bytes.len && i < max; i++) {
    char c = bytes.ptr[i];
    if (c < 0x20 || c > 0x7e) c = '?';
    add(buffer, (slice){&c, 1});
  }
}
