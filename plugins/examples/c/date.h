/* HTTP dates. */
#ifndef DATE_H
#define DATE_H

#include <stdint.h>

#include "text.h"

/* Reads `Thu, 01 Jan 2026 00:01:00 GMT` (RFC 9110, 5.6.7) as seconds since 1970.
 * False for all else, the two obsolete forms included. */
bool date_seconds(slice text, uint64_t *seconds);

#endif
