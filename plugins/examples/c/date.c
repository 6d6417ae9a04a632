#include "date.h"

/* `count` digits as a number, or false. */
static bool digits(const char *text, size_t count, uint64_t *number) {
  *number = 0;
  for (size_t i = 0; i < count; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    *number = *number * 10 + (uint64_t)(text[i] - '0');
  }
  return true;
}

/* The month, from 1; 0 for what is none. */
static uint64_t month_of(const char *text) {
  static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (uint64_t month = 0; month < 12; month++) {
    const char *name = names + 3 * month;
    if (text[0] == name[0] && text[1] == name[1] && text[2] == name[2]) return month + 1;
  }
  return 0;
}

/* Days since 1970 in the Gregorian calendar, of years from 1970 on. Years are
 * counted from March, so that a leap day is the last day of its year. */
static uint64_t days_since_1970(uint64_t year, uint64_t month, uint64_t day) {
  if (month <= 2) {
    year -= 1;
    month += 12;
  }
  uint64_t of_months = (153 * (month - 3) + 2) / 5;
  return 365 * year + year / 4 - year / 100 + year / 400 + of_months + day - 1 - 719468;
}

bool date_seconds(slice text, uint64_t *seconds) {
  /*                          Thu, 01 Jan 2026 00:01:00 GMT */
  static const char form[] = "___, __ ___ ____ __:__:__ GMT";
  if (text.len != sizeof form - 1) return false;
  for (size_t i = 0; i < text.len; i++) {
    if (form[i] != '_' && form[i] != text.ptr[i]) return false;
  }
  uint64_t day, year, hour, minute, second, month = month_of(text.ptr + 8);
  if (!digits(text.ptr + 5, 2, &day) || !digits(text.ptr + 12, 4, &year) ||
      !digits(text.ptr + 17, 2, &hour) || !digits(text.ptr + 20, 2, &minute) ||
      !digits(text.ptr + 23, 2, &second)) {
    return false;
  }
  /* 60 is a leap second. */
  if (year < 1970 || month == 0 || day == 0 || day > 31 || hour > 23 || minute > 59 || second > 60) {
    return false;
  }
  *seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
  return true;
}
