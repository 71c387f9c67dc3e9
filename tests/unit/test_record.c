#include "codecs/record.h"

#include "runtime/base/buf.h"
#include "tests/unit/slice_check.h"

#include <msgpack/pack.h>
#include <string.h>

struct sample {
    struct slice name;
    struct slice token;
    int64_t number;
    bool is_on;
    struct slice note;
};

#define SAMPLE_FIELD(member, field_type)                                                           \
    {                                                                                              \
        .name = #member, .type = (field_type), .offset = offsetof(struct sample, member),          \
    }

static const struct field sample_fields[] = {
    SAMPLE_FIELD(name, FIELD_TEXT),  SAMPLE_FIELD(token, FIELD_SECRET),
    SAMPLE_FIELD(number, FIELD_NUM), SAMPLE_FIELD(is_on, FIELD_FLAG),
    SAMPLE_FIELD(note, FIELD_TEXT),
};
static const struct record_type sample_type = {
    .name = "sample",
    .fields = sample_fields,
    .fields_count = sizeof sample_fields / sizeof sample_fields[0],
    .size = sizeof(struct sample),
};

static struct arena *arena;

static void setup(void)
{
    arena = arena_open(4096);
}

static void teardown(void)
{
    arena_close(arena);
}

static struct sample sample_make(void)
{
    return (struct sample){
        .name = SLICE("ada"),
        .token = SLICE("s3cret"),
        .number = -7,
        .is_on = true,
        .note = SLICE("two words\n"),
    };
}

static struct sample unpack(struct slice bytes)
{
    struct sample out = {.number = 0};
    ck_rc_eq(record_unpack(&sample_type, bytes, &out), RC_OK);
    return out;
}

START_TEST(record_packed_and_unpacked_is_equal)
{
    const struct sample in = sample_make();
    const struct sample out = unpack(record_pack(arena, &sample_type, &in, RECORD_ALL));
    ck_assert(record_equal(&sample_type, &in, &out));
}
END_TEST

START_TEST(record_packed_is_a_msgpack_map_of_known_bytes)
{
    const struct sample in = {.name = SLICE("ada"), .number = 300, .is_on = true};
    ck_text_eq(record_pack(arena, &sample_type, &in, RECORD_OPEN),
               "\x83\xa4name\xa3"
               "ada\xa6number\xcd\x01\x2c\xa5is_on\xc3");
}
END_TEST

START_TEST(record_parts_divide_the_secrets_from_the_rest)
{
    const struct sample in = sample_make();
    const struct slice open = record_pack(arena, &sample_type, &in, RECORD_OPEN);
    const struct slice secrets = record_pack(arena, &sample_type, &in, RECORD_SECRETS);
    ck_assert_uint_eq(slice_find(open, SLICE("s3cret")), open.len);
    ck_assert_uint_eq(slice_find(open, SLICE("token")), open.len);
    ck_assert_uint_eq(slice_find(secrets, SLICE("ada")), secrets.len);

    struct sample out = {.number = 0};
    ck_rc_eq(record_unpack(&sample_type, open, &out), RC_OK);
    ck_text_empty(out.token);
    ck_rc_eq(record_unpack(&sample_type, secrets, &out), RC_OK);
    ck_assert(record_equal(&sample_type, &in, &out));
}
END_TEST

START_TEST(record_without_secrets_packs_to_no_secret_bytes)
{
    const struct sample in = {.name = SLICE("ada")};
    ck_text_empty(record_pack(arena, &sample_type, &in, RECORD_SECRETS));
}
END_TEST

START_TEST(record_all_zero_packs_to_an_empty_map)
{
    const struct sample in = {.number = 0};
    const struct slice bytes = record_pack(arena, &sample_type, &in, RECORD_OPEN);
    ck_text_eq(bytes, "\x80");
    const struct sample out = unpack(bytes);
    ck_assert(record_equal(&sample_type, &in, &out));
}
END_TEST

START_TEST(record_unpacked_from_no_bytes_keeps_what_was_there)
{
    struct sample out = sample_make();
    const struct sample before = out;
    ck_rc_eq(record_unpack(&sample_type, SLICE_EMPTY, &out), RC_OK);
    ck_assert(record_equal(&sample_type, &before, &out));
}
END_TEST

START_TEST(record_numbers_of_every_width_come_back)
{
    static const int64_t numbers[] = {
        1,
        -1,
        31,
        -32,
        -33,
        127,
        128,
        255,
        256,
        -128,
        -129,
        65535,
        65536,
        -32768,
        -32769,
        2147483647,
        -2147483648LL,
        4294967295,
        4294967296,
        9007199254740993,
        INT64_MAX,
        INT64_MIN,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct sample in = {.number = numbers[i]};
        const struct sample out = unpack(record_pack(arena, &sample_type, &in, RECORD_OPEN));
        ck_assert_int_eq(out.number, numbers[i]);
    }
}
END_TEST

START_TEST(record_texts_of_every_width_come_back)
{
    static const size_t lengths[] = {1, 31, 32, 255, 256, 65535, 65536, 200000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char *text = arena_alloc(arena, lengths[i]);
        text[lengths[i] - 1] = 'x';
        const struct sample in = {.name = slice_make(text, lengths[i])};
        const struct slice bytes = record_pack(arena, &sample_type, &in, RECORD_OPEN);
        const struct sample out = unpack(bytes);
        ck_slice_eq(out.name, in.name);
        ck_assert(out.name.ptr > bytes.ptr && out.name.ptr < bytes.ptr + bytes.len);
    }
}
END_TEST

static int write_buf(void *data, const char *bytes, size_t len)
{
    buf_put(data, slice_make(bytes, len));
    return 0;
}

static void pack_str(msgpack_packer *packer, const char *text)
{
    msgpack_pack_str_with_body(packer, text, slice_from_cstr(text).len);
}

/* {"zz": {"a": [1, -1, nil, 1.5, 2.5f], [] : {}}, "bytes": bin, "ext": ext, "number": 5} */
START_TEST(record_unknown_names_are_passed_over_with_any_value)
{
    struct buf buf;
    msgpack_packer packer;
    buf_init(&buf, arena);
    msgpack_packer_init(&packer, &buf, write_buf);
    msgpack_pack_map(&packer, 5);
    pack_str(&packer, "zz");
    msgpack_pack_map(&packer, 2);
    pack_str(&packer, "a");
    msgpack_pack_array(&packer, 5);
    msgpack_pack_int(&packer, 1);
    msgpack_pack_int(&packer, -1);
    msgpack_pack_nil(&packer);
    msgpack_pack_double(&packer, 1.5);
    msgpack_pack_float(&packer, 2.5F);
    msgpack_pack_array(&packer, 0);
    msgpack_pack_map(&packer, 0);
    pack_str(&packer, "bytes");
    msgpack_pack_bin_with_body(&packer, "\0\1\2", 3);
    pack_str(&packer, "ext");
    msgpack_pack_ext_with_body(&packer, "1234567", 7, 1);
    pack_str(&packer, "fixext");
    msgpack_pack_ext_with_body(&packer, "1234567812345678", 16, 1);
    pack_str(&packer, "number");
    msgpack_pack_int(&packer, 5);

    const struct sample out = unpack(buf_slice(&buf));
    ck_assert_int_eq(out.number, 5);
    ck_text_empty(out.name);
}
END_TEST

START_TEST(record_cut_short_anywhere_is_corrupt)
{
    const struct sample in = sample_make();
    const struct slice bytes = record_pack(arena, &sample_type, &in, RECORD_ALL);
    for (size_t len = 1; len < bytes.len; len++) {
        struct sample out = {.number = 0};
        /* a copy of its own, so that the sanitizer sees a read behind the end */
        char *cut = malloc(len);
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, bytes.ptr, len);
        ck_rc_eq(record_unpack(&sample_type, slice_make(cut, len), &out), RC_CORRUPT);
        free(cut);
    }
}
END_TEST

static bool lies_within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

START_TEST(record_damaged_bytes_are_corrupt_or_harmless)
{
    const struct sample in = sample_make();
    const struct slice bytes = record_pack(arena, &sample_type, &in, RECORD_ALL);
    size_t corrupt = 0;
    for (size_t i = 0; i < bytes.len * 256; i++) {
        char *damaged = malloc(bytes.len);
        ck_assert_ptr_nonnull(damaged);
        memcpy(damaged, bytes.ptr, bytes.len);
        damaged[i / 256] = (char)(i % 256);
        const struct slice copy = slice_make(damaged, bytes.len);
        struct sample out = {.number = 0};
        corrupt += record_unpack(&sample_type, copy, &out) == RC_CORRUPT ? 1 : 0;
        ck_assert(lies_within(out.name, copy));
        ck_assert(lies_within(out.token, copy));
        ck_assert(lies_within(out.note, copy));
        free(damaged);
    }
    ck_assert_uint_gt(corrupt, 0);
}
END_TEST

START_TEST(record_of_a_wrong_shape_is_corrupt)
{
    static const struct slice wrong[] = {
        SLICE_INIT("\x90"),                /* an array */
        SLICE_INIT("\xc0"),                /* nil */
        SLICE_INIT("\xc1"),                /* never used */
        SLICE_INIT("\x80\x80"),            /* something behind */
        SLICE_INIT("\x81\x01\x02"),        /* a name that is no text */
        SLICE_INIT("\x81\xa4name\x02"),    /* text field, number */
        SLICE_INIT("\x81\xa6number\xa1x"), /* number field, text */
        SLICE_INIT("\x81\xa5is_on\x01"),   /* flag field, number */
        SLICE_INIT("\x81\xa6number\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), /* over INT64_MAX */
        SLICE_INIT("\x81\xa1z\xdd\xff\xff\xff\xff"),                      /* 4 billion members */
        SLICE_INIT("\xdf\xff\xff\xff\xff"),
        SLICE_INIT("\x81\xa1z\xdb\xff\xff\xff\xff"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sample out = {.number = 0};
        ck_rc_eq(record_unpack(&sample_type, wrong[i], &out), RC_CORRUPT);
    }
}
END_TEST

START_TEST(record_nested_deeply_in_an_unknown_name_is_passed_over)
{
    struct buf buf;
    buf_init(&buf, arena);
    BUF_PUT(&buf, "\x81\xa1z");
    for (size_t i = 0; i < 100000; i++) {
        BUF_PUT(&buf, "\x91");
    }
    BUF_PUT(&buf, "\x90");
    const struct sample out = unpack(buf_slice(&buf));
    ck_assert_int_eq(out.number, 0);
}
END_TEST

START_TEST(record_copied_has_texts_of_its_own)
{
    char name[] = "ada";
    struct sample in = sample_make();
    in.name = slice_make(name, 3);
    const struct sample *copy = record_copy(arena, &sample_type, &in);
    ck_assert(record_equal(&sample_type, &in, copy));
    name[0] = 'x';
    ck_text_eq(copy->name, "ada");
}
END_TEST

START_TEST(record_printed_hides_secrets_and_leaves_zeros_out)
{
    const struct sample in = sample_make();
    ck_text_eq(record_print(arena, &sample_type, &in),
               "name=ada token=(secret) number=-7 is_on=true note=\"two words\\n\"");
    const struct sample zero = {.number = 0};
    ck_text_empty(record_print(arena, &sample_type, &zero));
    const struct sample bad = {.name = SLICE("\xff")};
    ck_text_eq(record_print(arena, &sample_type, &bad), "name=\"\xef\xbf\xbd\"");
}
END_TEST

START_TEST(record_differing_in_one_field_is_not_equal)
{
    const struct sample a = sample_make();
    struct sample b = a;
    b.name = SLICE("adb");
    ck_assert(!record_equal(&sample_type, &a, &b));
    b = a;
    b.token = SLICE_EMPTY;
    ck_assert(!record_equal(&sample_type, &a, &b));
    b = a;
    b.number = 7;
    ck_assert(!record_equal(&sample_type, &a, &b));
    b = a;
    b.is_on = false;
    ck_assert(!record_equal(&sample_type, &a, &b));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record");
    TCase *tc = tcase_create("record");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, record_packed_and_unpacked_is_equal);
    tcase_add_test(tc, record_packed_is_a_msgpack_map_of_known_bytes);
    tcase_add_test(tc, record_parts_divide_the_secrets_from_the_rest);
    tcase_add_test(tc, record_without_secrets_packs_to_no_secret_bytes);
    tcase_add_test(tc, record_all_zero_packs_to_an_empty_map);
    tcase_add_test(tc, record_unpacked_from_no_bytes_keeps_what_was_there);
    tcase_add_test(tc, record_numbers_of_every_width_come_back);
    tcase_add_test(tc, record_texts_of_every_width_come_back);
    tcase_add_test(tc, record_unknown_names_are_passed_over_with_any_value);
    tcase_add_test(tc, record_cut_short_anywhere_is_corrupt);
    tcase_add_test(tc, record_damaged_bytes_are_corrupt_or_harmless);
    tcase_add_test(tc, record_of_a_wrong_shape_is_corrupt);
    tcase_add_test(tc, record_nested_deeply_in_an_unknown_name_is_passed_over);
    tcase_add_test(tc, record_copied_has_texts_of_its_own);
    tcase_add_test(tc, record_printed_hides_secrets_and_leaves_zeros_out);
    tcase_add_test(tc, record_differing_in_one_field_is_not_equal);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
