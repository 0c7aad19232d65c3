#include "net/text.h"

#include "tests/t.h"

#include <math.h>

static char room[256];
static struct text t;

static const char *done(void)
{
    text_put(&t, (struct str){"", 1});
    return room;
}

static const char *json_of(struct str s)
{
    text_init(&t, room, sizeof room);
    text_json(&t, s);
    return done();
}

static const char *decimal_of(double x, int n_decimals)
{
    text_init(&t, room, sizeof room);
    text_decimal(&t, x, n_decimals);
    return done();
}

TEST(text_json_escapes_what_must_be_and_nothing_else)
{
    CHECK_STR(json_of(STR("a\"b\\c\n\r\t\x01/\x7f")), "\"a\\\"b\\\\c\\n\\r\\t\\u0001/\x7f\"");
    CHECK_STR(json_of(STR("17 \xC3\x97 23 \xF0\x9F\x98\x80")),
              "\"17 \xC3\x97 23 \xF0\x9F\x98\x80\"");
    CHECK_STR(json_of(STR("\0x")), "\"\\u0000x\"");
    CHECK_STR(json_of(STR("a\xFF\xC3")), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(text_decimal_drops_zeros_but_keeps_one_digit)
{
    CHECK_STR(decimal_of(118, 3), "118.0");
    CHECK_STR(decimal_of(-0.0112, 6), "-0.0112");
    CHECK_STR(decimal_of(3.666666, 2), "3.67");
    CHECK_STR(decimal_of((double)NAN, 2), "0.0");
    CHECK_STR(decimal_of(100, 1), "100.0");
}

TEST(text_stops_at_the_first_piece_that_does_not_fit)
{
    char small[4];
    text_init(&t, small, sizeof small);
    text_puts(&t, "abc");
    CHECK_TRUE(!t.is_full);
    text_puts(&t, "de");
    text_puts(&t, "f");
    CHECK_TRUE(t.is_full);
    CHECK_EQ(t.n_bytes, 3);
    text_init(&t, small, sizeof small);
    text_fmt(&t, "%d", 12345);
    CHECK_TRUE(t.is_full);
    CHECK_EQ(t.n_bytes, 0);
}

TEST(text_dates_are_those_of_the_rfcs)
{
    text_init(&t, room, sizeof room);
    text_http_date(&t, 784111777);
    CHECK_STR(done(), "Sun, 06 Nov 1994 08:49:37 GMT"); /* RFC 9110 5.6.7 */
    text_init(&t, room, sizeof room);
    text_utc(&t, 784111777);
    CHECK_STR(done(), "1994-11-06T08:49:37Z");
}
