// Strategy: heads and text strings of CBOR, as short as can be. Nothing here asks twice how wide something is.
#pragma once

#include "buffer.hpp"
#include "cpython_layout.hpp"

#include <cstdint>
#include <cstring>

namespace mason {

// The head of an item (RFC 8949 section 3), in its shortest form. Stores nine bytes; returns the end of those that count.
inline char* cbor_head(char* at, unsigned major, uint64_t number) {
    if (number < 24) {
        *at = char(major << 5 | unsigned(number));
        return at + 1;
    }
    static const struct {
        uint8_t code, bytes;
    } widths[] = {{24, 1}, {25, 2}, {26, 4}, {26, 4}, {27, 8}, {27, 8}, {27, 8}, {27, 8}};
    auto [code, bytes] = widths[(63 - __builtin_clzll(number)) / 8];
    *at = char(major << 5 | code);
    store_big(at + 1, number << (64 - 8 * bytes));
    return at + 1 + bytes;
}

// Appends a str that is not ASCII as a text string, or as WTF-8 under tag 273 where it holds a lone surrogate.
void cbor_wide_text(Buffer& out, PyObject* string);

// Appends a str as a text string.
inline void cbor_text(Buffer& out, PyObject* string) {
    if (!PyUnicode_IS_COMPACT_ASCII(string)) return cbor_wide_text(out, string);
    const char* from = reinterpret_cast<const char*>(layout::ascii(string));
    size_t size = size_t(PyUnicode_GET_LENGTH(string));
    out.need(size + 9);
    char* at = cbor_head(out.at, 3, size);
    out.at = at + size;
    auto both_ends = [&](auto width) {  // copies of a fixed size, which may overlap: no call
        std::memcpy(at, from, width());
        std::memcpy(at + size - width(), from + size - width(), width());
    };
    if (size >= 8) {
        if (size <= 16) return both_ends(std::integral_constant<size_t, 8>());
        if (size <= 32) return both_ends(std::integral_constant<size_t, 16>());
        std::memcpy(at, from, size);
    } else if (size >= 4) {
        both_ends(std::integral_constant<size_t, 4>());
    } else if (size > 0) {
        at[0] = from[0];
        at[size / 2] = from[size / 2];
        at[size - 1] = from[size - 1];
    }
}

}  // namespace mason
