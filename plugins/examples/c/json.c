#include "json.h"

#include <stdlib.h>

static const slice nothing = {NULL, 0};

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static const char *past_space(const char *at, const char *end) {
  while (at < end && is_space(*at)) at++;
  return at;
}

/* Past the string that begins here; NULL if it does not end. */
static const char *past_string(const char *at, const char *end) {
  for (at++; at < end; at++) {
    if (*at == '\\') at++;
    else if (*at == '"') return at + 1;
  }
  return NULL;
}

/* Past the value that begins here; NULL if it does not end. */
static const char *past_value(const char *at, const char *end) {
  if (at == end) return NULL;
  if (*at == '"') return past_string(at, end);
  if (*at == '{' || *at == '[') {
    size_t depth = 0;
    while (at != NULL && at < end) {
      if (*at == '"') {
        at = past_string(at, end);
        continue;
      }
      if (*at == '{' || *at == '[') depth++;
      if ((*at == '}' || *at == ']') && --depth == 0) return at + 1;
      at++;
    }
    return NULL;
  }
  while (at < end && !is_space(*at) && *at != ',' && *at != '}' && *at != ']') at++;
  return at;
}

slice json_member(slice object, const char *name) {
  const char *end = object.ptr + object.len, *at = past_space(object.ptr, end);
  if (at == end || *at != '{') return nothing;
  do {
    const char *key = past_space(at + 1, end);
    if (key == end || *key != '"') return nothing;
    const char *key_end = past_string(key, end);
    if (key_end == NULL) return nothing;
    const char *colon = past_space(key_end, end);
    if (colon == end || *colon != ':') return nothing;
    const char *value = past_space(colon + 1, end), *value_end = past_value(value, end);
    if (value_end == NULL) return nothing;
    /* Every name that is looked for here is written without escapes. */
    if (slice_is((slice){key + 1, (size_t)(key_end - key - 2)}, name)) {
      return (slice){value, (size_t)(value_end - value)};
    }
    at = past_space(value_end, end);
  } while (at < end && *at == ',');
  return nothing;
}

slice json_element(slice *rest) {
  const char *end = rest->ptr + rest->len, *at = past_space(rest->ptr, end);
  if (at == end || (*at != '[' && *at != ',')) return nothing;
  const char *value = past_space(at + 1, end), *value_end = past_value(value, end);
  if (value_end == NULL) return nothing;
  *rest = (slice){value_end, (size_t)(end - value_end)};
  return (slice){value, (size_t)(value_end - value)};
}

static uint32_t hex_digits(const char *at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    uint32_t digit = c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);
    value = value << 4 | (digit & 15);
  }
  return value;
}

static void add_character(buffer *text, uint32_t c) {
  char bytes[4];
  size_t len;
  if (c < 0x80) {
    bytes[0] = (char)c, len = 1;
  } else if (c < 0x800) {
    bytes[0] = (char)(0xc0 | c >> 6), len = 2;
  } else if (c < 0x10000) {
    bytes[0] = (char)(0xe0 | c >> 12), len = 3;
  } else {
    bytes[0] = (char)(0xf0 | c >> 18), len = 4;
  }
  for (size_t i = 1; i < len; i++) bytes[i] = (char)(0x80 | (c >> 6 * (len - 1 - i) & 0x3f));
  add(text, (slice){bytes, len});
}

/* The character that `\uXXXX` stands for; `*at` is at the `u`, and ends at its last digit. */
static uint32_t escaped_character(const char **at, const char *end) {
  if (end - *at < 5) return 0xfffd;
  uint32_t c = hex_digits(*at + 1);
  *at += 4;
  if (c < 0xd800 || c > 0xdfff) return c;
  /* Two halves make one; a half alone is not a character. */
  if (c < 0xdc00 && end - *at >= 7 && (*at)[1] == '\\' && (*at)[2] == 'u') {
    uint32_t low = hex_digits(*at + 3);
    if (low >= 0xdc00 && low <= 0xdfff) {
      *at += 6;
      return 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
    }
  }
  return 0xfffd;
}

slice json_text(slice value) {
  if (value.len == 0 || *value.ptr == '{' || *value.ptr == '[') return nothing;
  if (*value.ptr != '"') return value;
  buffer text = {0};
  const char *end = value.ptr + value.len - 1;
  for (const char *at = value.ptr + 1; at < end; at++) {
    if (*at != '\\' || at + 1 == end) {
      add(&text, (slice){at, 1});
      continue;
    }
    switch (*++at) {
      case 'b': add_text(&text, "\b"); break;
      case 'f': add_text(&text, "\f"); break;
      case 'n': add_text(&text, "\n"); break;
      case 'r': add_text(&text, "\r"); break;
      case 't': add_text(&text, "\t"); break;
      case 'u': add_character(&text, escaped_character(&at, end)); break;
      default: add(&text, (slice){at, 1}); /* quote, slash, backslash */
    }
  }
  return (slice){text.ptr, text.len};
}
