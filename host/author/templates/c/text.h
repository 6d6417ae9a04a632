/* Pieces of text that know their length. Knows nothing of the contract, so it is
 * tested with any compiler. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
  const char *ptr;
  size_t len;
} text;

/* Where `part` begins in `whole`, or the length of `whole`. */
static inline size_t text_find(text whole, text part) {
  for (size_t at = 0; at + part.len <= whole.len; at++) {
    size_t same = 0;
    while (same < part.len && whole.ptr[at + same] == part.ptr[same]) same++;
    if (same == part.len) return at;
  }
  return whole.len;
}

/* Without spaces at either end. */
static inline text text_trim(text t) {
  while (t.len > 0 && t.ptr[0] == ' ') t.ptr++, t.len--;
  while (t.len > 0 && t.ptr[t.len - 1] == ' ') t.len--;
  return t;
}

/* Without regard to case, in ASCII. */
static inline bool text_same_name(text a, text b) {
  if (a.len != b.len) return false;
  for (size_t i = 0; i < a.len; i++) {
    char x = a.ptr[i], y = b.ptr[i];
    if (x >= 'A' && x <= 'Z') x += 'a' - 'A';
    if (y >= 'A' && y <= 'Z') y += 'a' - 'A';
    if (x != y) return false;
  }
  return true;
}

#endif
