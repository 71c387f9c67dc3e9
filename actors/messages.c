#include "actors/messages.h"

#define BODY_RECORD(tag) FIELD_RECORD(tag, FIELDS_##tag);
BODY_LIST(BODY_RECORD)
#undef BODY_RECORD

/* clang-format off */
#define FIELDS_call_ended(F, S) F(S, NUM, end) F(S, NUM, status) F(S, TEXT, body) F(S, TEXT, ref) \
                                F(S, TEXT, request) F(S, TEXT, detail)
/* clang-format on */
FIELD_RECORD(call_ended, FIELDS_call_ended);

const struct msg_type message_types[] = {
#define MESSAGE_TYPE(kind, to, body)                                                               \
    {.name = #kind, .receiver = ACTOR_##to, .record = &body##_record},
    MESSAGE_LIST(MESSAGE_TYPE)
#undef MESSAGE_TYPE
};

const struct msg_nothing nothing = {0};

int message_by_name(struct slice name)
{
    for (int kind = 0; kind < MSG_KINDS; kind++) {
        if (slice_equal(slice_from_cstr(message_types[kind].name), name)) {
            return kind;
        }
    }
    return -1;
}
