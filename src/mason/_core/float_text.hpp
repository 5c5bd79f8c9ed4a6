// Strategy: a float is written as Python's repr writes it: the shortest digits that give the value back, plain
// between 1e-4 and 1e16, otherwise with an exponent of at least two digits. std::to_chars finds the digits;
// the layout is ours, because no standard function lays them out as repr does.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace mason {

// The digits of a float that has at most fifteen: they are found by one multiplication and proved by one division,
// since both operands are exact then. No two decimals of fifteen digits are the same float, so what gives the
// float back is its shortest form once the zeros at its end are gone.
inline bool short_decimal(double number, uint64_t& digits, int& fraction) {
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
        1e16, 1e17, 1e18};
    if (!(number >= 1e-3 && number < 1e15)) return false;
    int whole = 0;  // digits before the point
    while (number >= powers[whole]) ++whole;
    int places = 15 - whole;
    double scaled = number * powers[places];
    uint64_t found = uint64_t(scaled + 0.5);
    if (double(found) / powers[places] != number || found >= 1000000000000000ull) return false;
    if (found % 100000000 == 0 && places >= 8) found /= 100000000, places -= 8;
    if (found % 10000 == 0 && places >= 4) found /= 10000, places -= 4;
    if (found % 100 == 0 && places >= 2) found /= 100, places -= 2;
    if (found % 10 == 0 && places >= 1) found /= 10, places -= 1;
    digits = found;
    fraction = places;
    return true;
}

// Writes a finite float; needs 32 bytes. Returns the end.
inline char* float_repr(char* at, double number) {
    if (std::signbit(number)) {
        *at++ = '-';
        number = -number;
    }
    if (number < 1e15 && number == double(uint64_t(number))) {  // whole and exact: digits and ".0"
        at = std::to_chars(at, at + 24, uint64_t(number)).ptr;
        *at++ = '.';
        *at++ = '0';
        return at;
    }
    uint64_t short_digits;
    int fraction;
    if (short_decimal(number, short_digits, fraction)) {
        char reversed[24];
        int length = 0;
        for (; length < fraction || short_digits; short_digits /= 10) reversed[length++] = char('0' + short_digits % 10);
        if (length == fraction) reversed[length++] = '0';
        while (length) {
            *at++ = reversed[--length];
            if (length == fraction) *at++ = '.';
        }
        return at;
    }
    char text[40];
    char* end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
    char digits[20];
    int count = 0, exponent = 0;
    char* cursor = text;
    for (; cursor < end && *cursor != 'e'; ++cursor)
        if (*cursor != '.') digits[count++] = *cursor;
    bool negative = cursor[1] == '-';
    for (cursor += 2; cursor < end; ++cursor) exponent = exponent * 10 + (*cursor - '0');
    if (negative) exponent = -exponent;
    if (exponent >= -4 && exponent < 0) {
        *at++ = '0';
        *at++ = '.';
        for (int i = -1; i > exponent; --i) *at++ = '0';
        std::memcpy(at, digits, size_t(count));
        return at + count;
    }
    if (exponent >= 0 && exponent < 16) {
        if (count <= exponent + 1) {
            std::memcpy(at, digits, size_t(count));
            std::memset(at + count, '0', size_t(exponent + 1 - count));
            at += exponent + 1;
            *at++ = '.';
            *at++ = '0';
            return at;
        }
        std::memcpy(at, digits, size_t(exponent + 1));
        at += exponent + 1;
        *at++ = '.';
        std::memcpy(at, digits + exponent + 1, size_t(count - exponent - 1));
        return at + (count - exponent - 1);
    }
    *at++ = digits[0];
    if (count > 1) {
        *at++ = '.';
        std::memcpy(at, digits + 1, size_t(count - 1));
        at += count - 1;
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    int size = exponent < 0 ? -exponent : exponent;
    if (size < 10) *at++ = '0';
    return std::to_chars(at, at + 4, size).ptr;
}

}  // namespace mason
