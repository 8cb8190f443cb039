/* The mapped record: see record_format.h. */
#pragma once

#include "recorder.h"

/* Maps the file at `path`. False, and nothing changed, when it is not a record. */
bool kr_ring_open(const char *path);

/* Appends one record, or notes the overflow. Disturbs errno. REQUIRES: kr_ring_open was true. */
void kr_ring_append(const struct kr_event *event, int result, struct kr_text a, struct kr_text b);
