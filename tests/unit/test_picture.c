/* Pictures as bytes. */
#include "codecs/picture.h"

#include "tests/unit/slice_check.h"

START_TEST(picture_is_known_by_its_first_bytes)
{
    ck_text_eq(picture_type(SLICE("\x89PNG\r\n\x1a\nrest")), "image/png");
    ck_text_eq(picture_type(SLICE("\xff\xd8\xff\xe0rest")), "image/jpeg");
    ck_text_eq(picture_type(SLICE("GIF87a")), "image/gif");
    ck_text_eq(picture_type(SLICE("GIF89a")), "image/gif");
    ck_text_eq(picture_type(SLICE("RIFF1234WEBPVP8 ")), "image/webp");
}
END_TEST

START_TEST(anything_else_is_no_picture)
{
    ck_text_empty(picture_type(SLICE_EMPTY));
    ck_text_empty(picture_type(SLICE("\x89PNG")));
    ck_text_empty(picture_type(SLICE("RIFF1234WAVE")));
    ck_text_empty(picture_type(SLICE("<svg xmlns='http://www.w3.org/2000/svg'/>")));
    ck_text_empty(picture_type(SLICE("<!DOCTYPE html>")));
}
END_TEST

START_TEST(uri_of_an_upload_is_read)
{
    ck_text_eq(picture_content_uri(SLICE("{\"content_uri\":\"mxc://hs.example:8448/aZ_-9\"}")),
               "mxc://hs.example:8448/aZ_-9");
    ck_text_eq(picture_content_uri(SLICE("{\"content_uri\": \"mxc://[::1]/x\"}")), "mxc://[::1]/x");
}
END_TEST

START_TEST(uri_that_is_none_is_not_read)
{
    static const struct slice answers[] = {
        SLICE_INIT(""),
        SLICE_INIT("{}"),
        SLICE_INIT("{\"content_uri\":\"https://a/b\"}"),
        SLICE_INIT("{\"content_uri\":\"mxc://hs\"}"),
        SLICE_INIT("{\"content_uri\":\"mxc:///x\"}"),
        SLICE_INIT("{\"content_uri\":\"mxc://hs/\"}"),
        SLICE_INIT("{\"content_uri\":\"mxc://hs/x"),
        SLICE_INIT("{\"content_uri\":\"mxc://hs/x y\"}"),
        SLICE_INIT("{\"content_uri\":\"mxc://hs/x\\\"y\"}"),
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        ck_text_empty(picture_content_uri(answers[i]));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("picture");
    TCase *tests = tcase_create("picture");
    tcase_add_test(tests, picture_is_known_by_its_first_bytes);
    tcase_add_test(tests, anything_else_is_no_picture);
    tcase_add_test(tests, uri_of_an_upload_is_read);
    tcase_add_test(tests, uri_that_is_none_is_not_read);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return run_suite(suite());
}
