/* Environment variables: those that are asked for by name. Who reads `environ` as a whole (a shell, std::env::vars) is
 * not seen here. */
#include "recorder.h"

#include <locale.h>
#include <stdlib.h>

/* Ours; the programs' answer is no input of theirs. */
static bool is_own(const char *name) {
  return name[0] == 'L' ? strcmp(name, "LD_PRELOAD") == 0
                        : name[0] == 'K' && strcmp(name, KACHE_RECORD_ENV) == 0;
}

static char *end_getenv(const struct kr_event *event, const char *name, char *value) {
  if (!is_own(name)) kr_note(event, value ? 0 : ENOENT, kr_text(name), kr_text(value));
  return value;
}

#define GETENV_HOOK(function)                                        \
  KR_HOOK(char *, function, (const char *name)) {                    \
    struct kr_event event = kr_begin(KACHE_REC_GETENV, 0);           \
    return end_getenv(&event, name, KR_REAL(function)(name));        \
  }
GETENV_HOOK(getenv)
GETENV_HOOK(secure_getenv)
char *__secure_getenv(const char *name);
GETENV_HOOK(__secure_getenv)

/* libc asks for these inside itself when a program takes up the user's locale. */
static const struct {
  int category;
  const char *name;
} kr_locale_variables[] = {
    {LC_CTYPE, "LC_CTYPE"},
    {LC_NUMERIC, "LC_NUMERIC"},
    {LC_TIME, "LC_TIME"},
    {LC_COLLATE, "LC_COLLATE"},
    {LC_MONETARY, "LC_MONETARY"},
    {LC_MESSAGES, "LC_MESSAGES"},
    {LC_PAPER, "LC_PAPER"},
    {LC_NAME, "LC_NAME"},
    {LC_ADDRESS, "LC_ADDRESS"},
    {LC_TELEPHONE, "LC_TELEPHONE"},
    {LC_MEASUREMENT, "LC_MEASUREMENT"},
    {LC_IDENTIFICATION, "LC_IDENTIFICATION"},
};

static void note_locale(const char *locale, unsigned mask) {
  if (!locale || locale[0] != 0) return;
  static const char *const always[] = {"LC_ALL", "LANG", "LANGUAGE", "LOCPATH"};
  for (size_t i = 0; i < sizeof always / sizeof *always; ++i) getenv(always[i]);
  for (size_t i = 0; i < sizeof kr_locale_variables / sizeof *kr_locale_variables; ++i) {
    if (mask >> kr_locale_variables[i].category & 1) getenv(kr_locale_variables[i].name);
  }
}

KR_HOOK(char *, setlocale, (int category, const char *locale)) {
  note_locale(locale, category == LC_ALL ? ~0u : category >= 0 && category < 32 ? 1u << category : 0);
  return KR_REAL(setlocale)(category, locale);
}

#define NEWLOCALE_HOOK(name)                                                  \
  KR_HOOK(locale_t, name, (int mask, const char *locale, locale_t base)) {    \
    note_locale(locale, (unsigned)mask);                                      \
    return KR_REAL(name)(mask, locale, base);                                 \
  }
NEWLOCALE_HOOK(newlocale)
NEWLOCALE_HOOK(__newlocale)
