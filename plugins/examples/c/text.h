/* Text: a part of something, and a buffer that grows. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to someone else. */
typedef struct {
  const char *ptr;
  size_t len;
} slice;

typedef struct {
  char *ptr;
  size_t len;
  size_t room;
} buffer;

slice slice_of(const char *text);
bool slice_is(slice a, const char *text);
/* Header names come in any case. */
bool slice_is_ignoring_case(slice a, slice b);

void add(buffer *buffer, slice text);
void add_text(buffer *buffer, const char *text);
void add_number(buffer *buffer, uint32_t number);
/* At most `max` bytes, cut between two characters. */
void add_cut(buffer *buffer, slice text, size_t max);
/* The same, for bytes of unknown origin: what is not printable ASCII becomes `?`. */
void add_foreign(buffer *buffer, slice bytes, size_t max);
