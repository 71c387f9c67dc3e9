/* Times and object ids as Gitter writes them. */
#include "codecs/gitter.h"

#include "runtime/base/check.h"

enum {
    OBJECT_ID_DIGITS = 24,
    SECONDS_DIGITS = 8,
    DAY_S = 24 * 60 * 60,
};

static const int64_t ms_after_year_9999 = INT64_C(253402300800000);

/* Days since 1970-01-01 in the Gregorian calendar. The year is counted from March, so that the leap
 * day is the last one and the months before it have a length that is linear in their number. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month > 2 ? year : year - 1;
    const int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    const int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    return 365 * y + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static bool is_leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap_year(year) ? 1 : 0);
}

/* Takes a number of exactly that many digits and the byte behind it (0: none). */
static bool take_field(struct slice *text, size_t digits, char behind, int64_t *out)
{
    const struct slice field = slice_first(*text, digits);
    const size_t len = digits + (behind == 0 ? 0 : 1);
    if (text->len < len || field.ptr[0] == '-' || slice_to_int(field, out) != RC_OK ||
        (behind != 0 && text->ptr[digits] != behind)) {
        return false;
    }
    *text = slice_from(*text, len);
    return true;
}

static bool take_date(struct slice *text, int64_t *days)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    if (!take_field(text, 4, '-', &year) || !take_field(text, 2, '-', &month) ||
        !take_field(text, 2, 'T', &day) || year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month)) {
        return false;
    }
    *days = days_from_date(year, month, day);
    return true;
}

static bool take_clock(struct slice *text, int64_t *seconds)
{
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    if (!take_field(text, 2, ':', &hour) || !take_field(text, 2, ':', &minute) ||
        !take_field(text, 2, 0, &second) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *seconds = (hour * 60 + minute) * 60 + second;
    return true;
}

/* ".289" and any number of further digits, which are cut off; nothing is 0. */
static bool take_fraction(struct slice *text, int64_t *ms)
{
    int64_t value = 0;
    size_t digits = 0;
    if (!slice_starts_with(*text, SLICE("."))) {
        *ms = 0;
        return true;
    }
    *text = slice_from(*text, 1);
    while (digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9') {
        value = digits < 3 ? value * 10 + (text->ptr[digits] - '0') : value;
        digits++;
    }
    for (size_t i = digits; i < 3; i++) {
        value *= 10;
    }
    *text = slice_from(*text, digits);
    *ms = value;
    return digits > 0;
}

enum rc gitter_time_parse(struct slice text, int64_t *ms)
{
    int64_t days = 0;
    int64_t seconds = 0;
    int64_t fraction_ms = 0;
    if (!take_date(&text, &days) || !take_clock(&text, &seconds) ||
        !take_fraction(&text, &fraction_ms) ||
        (!slice_equal(text, SLICE("Z")) && !slice_equal(text, SLICE("+00:00")))) {
        return RC_BAD_INPUT;
    }
    *ms = (days * DAY_S + seconds) * 1000 + fraction_ms;
    return RC_OK;
}

struct slice gitter_time_print(struct arena *arena, int64_t ms)
{
    CHECK(ms >= 0 && ms < ms_after_year_9999);
    const int seconds = (int)(ms / 1000 % DAY_S);
    int64_t days = ms / 1000 / DAY_S;
    int year = 1970;
    int month = 1;
    while (days >= 365 + (is_leap_year(year) ? 1 : 0)) {
        days -= 365 + (is_leap_year(year) ? 1 : 0);
        year++;
    }
    while (days >= days_in_month(year, month)) {
        days -= days_in_month(year, month);
        month++;
    }
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, (int)days + 1,
                        seconds / 3600, seconds / 60 % 60, seconds % 60, (int)(ms % 1000));
}

bool gitter_is_object_id(struct slice id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (slice_hex_value(id.ptr[i]) > 15) {
            return false;
        }
    }
    return id.len == OBJECT_ID_DIGITS;
}

int64_t gitter_id_time_ms(struct slice id)
{
    int64_t seconds = 0;
    if (!gitter_is_object_id(id)) {
        return -1;
    }
    for (size_t i = 0; i < SECONDS_DIGITS; i++) {
        seconds = seconds * 16 + (int64_t)slice_hex_value(id.ptr[i]);
    }
    return seconds * 1000;
}

struct slice gitter_id_before(struct arena *arena, struct slice id, int64_t ms)
{
    CHECK(ms >= 0);
    const int64_t time_ms = gitter_id_time_ms(id);
    if (time_ms < 0) {
        return arena_copy(arena, id);
    }
    const int64_t earlier_ms = ms < time_ms ? time_ms - ms : 0;
    return arena_printf(arena, "%08llx0000000000000000", (unsigned long long)(earlier_ms / 1000));
}
