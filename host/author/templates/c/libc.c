/*
 * What the bindings need of a C library. Memory is handed out in order and
 * never taken back: a target's instance serves one call. A condition language
 * that keeps much should bring an allocator that frees.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 65536u
#define ALIGNMENT 16u

extern unsigned char __heap_base;
static uintptr_t next;

/* The size stands before each piece, for realloc. */
void *malloc(size_t size) {
  if (next == 0) next = ((uintptr_t)&__heap_base + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
  size_t whole = (size + 2 * ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  if (whole < size) abort();
  uintptr_t end = next + whole;
  uintptr_t have = (uintptr_t)__builtin_wasm_memory_size(0) * PAGE_BYTES;
  if (end > have) {
    size_t pages = (end - have + PAGE_BYTES - 1) / PAGE_BYTES;
    if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) abort();
  }
  *(size_t *)next = size;
  void *piece = (void *)(next + ALIGNMENT);
  next = end;
  return piece;
}

void *calloc(size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) abort();
  void *piece = malloc(count * size);
  return memset(piece, 0, count * size);
}

void *realloc(void *old, size_t size) {
  if (old == NULL) return malloc(size);
  size_t had = *(size_t *)((uintptr_t)old - ALIGNMENT);
  if (size <= had) return old;
  return memcpy(malloc(size), old, had);
}

void free(void *old) { (void)old; }

_Noreturn void abort(void) { __builtin_trap(); }

/* The compiler must not see loops that it would turn into calls of themselves. */
#define PLAIN __attribute__((no_builtin))

PLAIN void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  for (size_t i = 0; i < size; i++) t[i] = f[i];
  return to;
}

PLAIN void *memmove(void *to, const void *from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  if (t < f) {
    for (size_t i = 0; i < size; i++) t[i] = f[i];
  } else {
    for (size_t i = size; i > 0; i--) t[i - 1] = f[i - 1];
  }
  return to;
}

PLAIN void *memset(void *to, int byte, size_t size) {
  unsigned char *t = to;
  for (size_t i = 0; i < size; i++) t[i] = (unsigned char)byte;
  return to;
}

PLAIN int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *x = a, *y = b;
  for (size_t i = 0; i < size; i++) {
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  }
  return 0;
}

PLAIN size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}
