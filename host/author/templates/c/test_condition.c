/* cc -Wall -o build/test test.c && build/test */
#include <assert.h>
#include <stdio.h>

#include "text.h"

int main(void) {
  text source = {"status = FAILED", 15};
  assert(text_find(source, (text){"=", 1}) == 7);
  assert(text_find(source, (text){"!", 1}) == 15);
  assert(text_trim((text){"  a ", 4}).len == 1);
  puts("ok");
}
