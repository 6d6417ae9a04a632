/*
 * Reads JSON in place: a value is the slice of text that it is written in.
 * The host checked the alert and the settings; what a server answered may be
 * anything, and then a value is simply not found (its slice is empty).
 */
#pragma once
#include "text.h"

/* The value of a member of an object. */
slice json_member(slice object, const char *name);
/* The next element of an array; `*rest` is the array at first. */
slice json_element(slice *rest);
/* A string's text, and a number or boolean as it was written: a run's id may
 * have more digits than a number can hold. */
slice json_text(slice value);
