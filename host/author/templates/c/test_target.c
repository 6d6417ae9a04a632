/* cc -Wall -o build/test test.c && build/test */
#include <assert.h>
#include <stdio.h>

#include "text.h"

int main(void) {
  assert(text_same_name((text){"Content-Type", 12}, (text){"content-type", 12}));
  assert(!text_same_name((text){"content-typ", 11}, (text){"content-type", 12}));
  puts("ok");
}
