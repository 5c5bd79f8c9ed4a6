// Strategy: a float is written as Python's repr writes it: the shortest digits that give the value back, plain
// between 1e-4 and 1e16, otherwise with an exponent of at least two digits. std::to_chars finds the digits;
// the layout is ours, because no standard function lays them out as repr does.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace mason {

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
