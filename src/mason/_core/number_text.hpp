// Strategy: numbers as decimal text. Integers are written two digits at a time. A float is written as Python's repr
// writes it: the shortest digits that give the value back, plain between 1e-4 and 1e16, otherwise with an exponent of
// at least two digits. The digits are found as in R. Giulietti, "The Schubfach way to render doubles" (2020): scale
// the float and the borders of what is read as it by a power of ten, and take the shortest number between them. The
// powers that usual sizes need are worked out by the compiler; std::to_chars does the rest.
#pragma once

#include "buffer.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace mason {

struct DigitPairs {
    char text[200] = {};
    constexpr DigitPairs() {
        for (int i = 0; i < 100; ++i) {
            text[2 * i] = char('0' + i / 10);
            text[2 * i + 1] = char('0' + i % 10);
        }
    }
};
inline constexpr DigitPairs digit_pairs;

// The eight digits of a number, in lanes that are halved three times: four digits each, two, one.
inline void eight_digits(char* at, uint32_t number) {
    uint64_t fours = number / 10000 | uint64_t(number % 10000) << 32;
    uint64_t hundreds = fours * 5243 >> 19 & 0x7F0000007F, twos = hundreds | (fours - hundreds * 100) << 16;
    uint64_t tens = twos * 103 >> 10 & 0xF000F000F000F, ones = tens | (twos - tens * 10) << 8;
    store_little(at, ones + 0x3030303030303030);
}

inline int digit_count(uint64_t number) {
    static constexpr uint64_t powers[] = {0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
        10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
        100000000000000000, 1000000000000000000, 10000000000000000000u};
    int guess = (64 - __builtin_clzll(number | 1)) * 1233 >> 12;  // 1233 / 4096 is nearly log10(2)
    return guess + (number >= powers[guess]);
}

// Writes a 64-bit number, 20 digits at most; returns the end.
inline char* decimal(char* at, uint64_t number) {
    if (number < 10) {
        *at = char('0' + number);
        return at + 1;
    }
    char* end = at + digit_count(number);
    char* to = end;
    for (; number >= 100000000; number /= 100000000) eight_digits(to -= 8, uint32_t(number % 100000000));
    uint32_t rest = uint32_t(number);
    for (; rest >= 100; rest /= 100) std::memcpy(to -= 2, digit_pairs.text + rest % 100 * 2, 2);
    if (to - at == 2)
        std::memcpy(at, digit_pairs.text + rest * 2, 2);
    else if (to != at)
        *at = char('0' + rest);
    return end;
}

struct Wide {
    uint64_t high, low;
};

// The powers of ten, each as its 128 leading bits, rounded up.
struct PowersOfTen {
    static constexpr int most = 54;  // twice 5**54 is within 128 bits
    Wide power[2 * most + 1] = {};
    constexpr PowersOfTen() {
        power[most] = {1ull << 63, 0};
        unsigned __int128 five = 5;
        for (int k = 1; k <= most; ++k, five *= 5) {
            unsigned __int128 up = five, down = 0, rest = 1;
            while (!(up >> 127)) up <<= 1;
            while (!(down >> 127)) {  // long division of a power of two
                rest <<= 1;
                down = down << 1 | (rest >= five);
                if (rest >= five) rest -= five;
            }
            power[most + k] = {uint64_t(up >> 64), uint64_t(up)};
            ++down;  // it never comes out even
            power[most - k] = {uint64_t(down >> 64), uint64_t(down)};
        }
    }
};
inline constexpr PowersOfTen powers_of_ten;

// number * power / 2**128, with its last bit set when something was cut off.
inline uint64_t scaled(Wide power, uint64_t number) {
    unsigned __int128 low = (unsigned __int128)power.low * number, high = (unsigned __int128)power.high * number + (low >> 64);
    return uint64_t(high >> 64) | (uint64_t(high) > 1);
}

// The shortest digits of a positive float and the power of ten that they stand before; false out of range.
inline bool shortest(double number, uint64_t& digits, int& exponent) {
    uint64_t bits;
    std::memcpy(&bits, &number, 8);
    uint64_t fraction = bits & 0xFFFFFFFFFFFFFull;
    int biased = int(bits >> 52);
    if (biased < 1075 - 178 || biased > 1075 + 178) return false;
    uint64_t whole = fraction | 1ull << 52;
    int two = biased - 1075;  // number == whole * 2**two
    bool narrow = fraction == 0;  // the float below is nearer than the one above
    int ten = (two * 1262611 - (narrow ? 524031 : 0)) >> 22;  // floor(log10(2**two)), or of three quarters of it
    int shift = two + ((-ten * 1741647) >> 19) + 1;           // 2**two * 10**-ten, without the bits of the power
    Wide power = powers_of_ten.power[PowersOfTen::most - ten];
    uint64_t odd = whole & 1;  // borders belong to an even float
    uint64_t lower = scaled(power, (4 * whole - (narrow ? 1 : 2)) << shift) + odd;
    uint64_t middle = scaled(power, 4 * whole << shift);
    uint64_t upper = scaled(power, (4 * whole + 2) << shift) - odd;
    uint64_t floor = middle / 4, tens = floor / 10;  // of four times the scaled float
    bool down = lower <= 40 * tens, up = 40 * tens + 40 <= upper;
    if (down != up) {  // one digit less says it
        digits = tens + up;
        exponent = ten + 1;
        return true;
    }
    down = lower <= 4 * floor;
    up = 4 * floor + 4 <= upper;
    uint64_t half = 4 * floor + 2;
    bool nearer = middle > half || (middle == half && (floor & 1));
    digits = floor + (down != up ? up : nearer);
    exponent = ten;
    return true;
}

// The same by the standard library, for sizes that are rare.
inline void shortest_by_library(double number, uint64_t& digits, int& exponent) {
    char text[40];
    char* end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
    char* at = text;
    digits = 0;
    exponent = 1;
    for (bool point = false; *at != 'e'; ++at) {
        if (*at == '.') {
            point = true;
            continue;
        }
        digits = digits * 10 + uint64_t(*at - '0');
        exponent -= point;
    }
    int power = 0;
    std::from_chars(at + (at[1] == '+' ? 2 : 1), end, power);
    exponent += power - 1;
}

// Writes a finite float; needs 32 bytes and the slack of a buffer. Returns the end.
inline char* float_repr(char* at, double number) {
    if (std::signbit(number)) {
        *at++ = '-';
        number = -number;
    }
    if (number < 1e15 && number == double(uint64_t(number))) {  // whole and exact
        at = decimal(at, uint64_t(number));
        std::memcpy(at, ".0", 2);
        return at + 2;
    }
    uint64_t found;
    int exponent;
    if (!shortest(number, found, exponent)) shortest_by_library(number, found, exponent);
    if (found % 10 == 0) {
        for (; found % 100000000 == 0; exponent += 8) found /= 100000000;
        if (found % 10000 == 0) found /= 10000, exponent += 4;
        if (found % 100 == 0) found /= 100, exponent += 2;
        if (found % 10 == 0) found /= 10, exponent += 1;
    }
    char digits[48];
    int count = int(decimal(digits, found) - digits);
    exponent += count - 1;  // of the first digit
    if (exponent >= 0 && exponent < 16) {
        if (count <= exponent + 1) {
            std::memset(digits + count, '0', 16);
            std::memcpy(at, digits, 16);
            std::memcpy(at + exponent + 1, ".0", 2);
            return at + exponent + 3;
        }
        std::memcpy(at, digits, 16);
        at[exponent + 1] = '.';
        std::memcpy(at + exponent + 2, digits + exponent + 1, 16);
        return at + count + 1;
    }
    if (exponent >= -4 && exponent < 0) {
        std::memcpy(at, "0.000", 5);
        at += 1 - exponent;
        std::memcpy(at, digits, 20);
        return at + count;
    }
    *at++ = digits[0];
    *at = '.';
    std::memcpy(at + 1, digits + 1, 16);
    if (count > 1) at += count;
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    if (exponent < 0) exponent = -exponent;
    if (exponent < 10) *at++ = '0';
    return decimal(at, uint64_t(exponent));
}

}  // namespace mason
