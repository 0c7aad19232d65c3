#include "models/unicode.h"

#include "tests/t.h"

TEST(unicode_changes_case_as_python_does)
{
    static const struct {
        uint32_t from, lower, upper;
    } cases[] = {{'A', 'a', 'A'},
                 {'z', 'z', 'Z'},
                 {'1', '1', '1'},
                 {0xc4, 0xe4, 0xc4},
                 {0xff, 0xff, 0x178},
                 {0x100, 0x101, 0x100},
                 {0x101, 0x101, 0x100},
                 {0x3a3, 0x3c3, 0x3a3},
                 {0x10400, 0x10428, 0x10400},
                 {0x4e2d, 0x4e2d, 0x4e2d},
                 {0x1f600, 0x1f600, 0x1f600}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t up[3];
        CHECK_EQ(unicode_to_lower(cases[i].from), cases[i].lower);
        CHECK_EQ(unicode_to_upper(cases[i].from, up), 1);
        CHECK_EQ(up[0], cases[i].upper);
    }
}

TEST(unicode_upper_case_may_be_several_code_points)
{
    uint32_t up[3] = {0};
    CHECK_EQ(unicode_to_upper(0xdf, up), 2); /* sharp s */
    CHECK_TRUE(up[0] == 'S' && up[1] == 'S');
    CHECK_EQ(unicode_to_upper(0xfb03, up), 3); /* the ligature ffi */
    CHECK_TRUE(up[0] == 'F' && up[1] == 'F' && up[2] == 'I');
}

TEST(unicode_knows_what_python_escapes)
{
    static const uint32_t printable[] = {' ', '~', 0xa1, 0xe4, 0x4e2d, 0x1f600};
    static const uint32_t escaped[] = {0, '\n', 0x7f, 0x80, 0xa0, 0xad, 0x2028, 0xe000, 0x10ffff};
    for (size_t i = 0; i < sizeof printable / sizeof *printable; i++)
        CHECK_TRUE(unicode_is_printable(printable[i]));
    for (size_t i = 0; i < sizeof escaped / sizeof *escaped; i++)
        CHECK_TRUE(!unicode_is_printable(escaped[i]));
}
