#include "runtime/base/rc.h"

#include <stddef.h>

static const char *const rc_names[] = {
#define RC_NAME(name, text) #name,
    RC_LIST(RC_NAME)
#undef RC_NAME
};

static const char *const rc_texts[] = {
#define RC_TEXT(name, text) text,
    RC_LIST(RC_TEXT)
#undef RC_TEXT
};

const char *rc_name(enum rc rc)
{
    return (size_t)rc < sizeof rc_names / sizeof rc_names[0] ? rc_names[rc] : "?";
}

const char *rc_text(enum rc rc)
{
    return (size_t)rc < sizeof rc_texts / sizeof rc_texts[0] ? rc_texts[rc] : "?";
}
