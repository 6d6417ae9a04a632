/*
 * Memory for a guest that lives for one call: it is handed out from the end of
 * the data on, and never taken back. The host drops the instance afterwards.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES 65536u
#define ALIGNMENT 16u /* of whatever WebAssembly can hold */

/* Set by the linker: where the data ends. */
extern unsigned char __heap_base;

static uintptr_t unused;

void *malloc(size_t size) {
  if (unused == 0) unused = (uintptr_t)&__heap_base;
  /* The size stands before the block, for `realloc`. */
  uintptr_t block = (unused + sizeof(size_t) + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
  if (size > UINTPTR_MAX - block) return NULL;
  uintptr_t end = block + size;
  uintptr_t have = __builtin_wasm_memory_size(0) * PAGE_BYTES;
  if (end > have) {
    size_t pages = (end - have + PAGE_BYTES - 1) / PAGE_BYTES;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) return NULL;
  }
  ((size_t *)block)[-1] = size;
  unused = end;
  return (void *)block;
}

void *realloc(void *block, size_t size) {
  size_t old = block == NULL ? 0 : ((size_t *)block)[-1];
  if (size <= old) return block;
  void *moved = malloc(size);
  if (moved != NULL && old > 0) memcpy(moved, block, old);
  return moved;
}

void free(void *block) { (void)block; }

/* A trap: the host names it, and drops the instance. */
_Noreturn void abort(void) { __builtin_trap(); }

/* The compiler must not see the calls to these in these themselves. */
#pragma clang attribute push(__attribute__((no_builtin)), apply_to = function)

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  for (size_t i = 0; i < size; i++) ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
  return to;
}

void *memset(void *to, int byte, size_t size) {
  for (size_t i = 0; i < size; i++) ((unsigned char *)to)[i] = (unsigned char)byte;
  return to;
}

int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *left = a, *right = b;
  for (size_t i = 0; i < size; i++) {
    if (left[i] != right[i]) return left[i] - right[i];
  }
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != '\0') length++;
  return length;
}

#pragma clang attribute pop
