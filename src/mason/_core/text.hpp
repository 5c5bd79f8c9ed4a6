// Strategy: strings go to UTF-8 without Python's cached copy. JSON strings are escaped on the way, sixteen
// bytes at a time where the machine has SSE2 (every x86-64 has), eight at a time elsewhere.
#pragma once

#include "buffer.hpp"

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mason::text {

inline uint64_t load8(const void* at) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    return word;
}
inline uint32_t load4(const void* at) {
    uint32_t word;
    std::memcpy(&word, at, 4);
    return word;
}

constexpr uint64_t ones = 0x0101010101010101ull;
constexpr uint64_t tops = 0x8080808080808080ull;

// Non-zero iff one of eight ASCII bytes is a quote, a backslash or a control character.
inline uint64_t must_escape8(uint64_t word) {
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    return ((word - ones * 0x20) | (quote - ones) | (slash - ones)) & tops;
}

// What stands for the character inside JSON quotes; returns the end.
inline char* escape_one(char* at, unsigned char c) {
    static const char digits[] = "0123456789abcdef";
    char letter = 0;
    switch (c) {
        case '"': letter = '"'; break;
        case '\\': letter = '\\'; break;
        case '\n': letter = 'n'; break;
        case '\r': letter = 'r'; break;
        case '\t': letter = 't'; break;
        case '\f': letter = 'f'; break;
        case '\b': letter = 'b'; break;
        default: break;
    }
    *at++ = '\\';
    if (letter) {
        *at++ = letter;
        return at;
    }
    std::memcpy(at, "u00", 3);
    at[3] = digits[c >> 4];
    at[4] = digits[c & 15];
    return at + 5;
}

inline bool plain_byte(unsigned char c) { return c >= 0x20 && c != '"' && c != '\\'; }

// Writes ASCII inside JSON quotes. A long string goes piece by piece, so that room for the worst case
// (six bytes for one) is asked for a piece only.
inline void json_ascii(Buffer& out, const unsigned char* from, size_t count) {
    constexpr size_t piece = 4096;
    while (count > 0) {
        size_t todo = count < piece ? count : piece;
        out.need(todo * 6);
        char* at = out.at;
        const unsigned char* end = from + todo;
#if defined(__SSE2__)
        const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), low = _mm_set1_epi8(0x20);
        while (end - from >= 16) {
            __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(at), block);
            int mask = _mm_movemask_epi8(_mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)), _mm_cmplt_epi8(block, low)));
            if (mask == 0) {
                from += 16;
                at += 16;
                continue;
            }
            int clean = __builtin_ctz(unsigned(mask));
            at = escape_one(at + clean, from[clean]);
            from += clean + 1;
        }
#endif
        while (end - from >= 8) {
            uint64_t word = load8(from);
            if (must_escape8(word)) break;
            std::memcpy(at, &word, 8);
            from += 8;
            at += 8;
        }
        while (from < end) {
            unsigned char c = *from++;
            if (plain_byte(c))
                *at++ = char(c);
            else
                at = escape_one(at, c);
        }
        out.at = at;
        count -= todo;
    }
}

inline char* utf8(char* at, Py_UCS4 c) {
    if (c < 0x80) {
        *at++ = char(c);
    } else if (c < 0x800) {
        *at++ = char(0xC0 | (c >> 6));
        *at++ = char(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *at++ = char(0xE0 | (c >> 12));
        *at++ = char(0x80 | ((c >> 6) & 0x3F));
        *at++ = char(0x80 | (c & 0x3F));
    } else {
        *at++ = char(0xF0 | (c >> 18));
        *at++ = char(0x80 | ((c >> 12) & 0x3F));
        *at++ = char(0x80 | ((c >> 6) & 0x3F));
        *at++ = char(0x80 | (c & 0x3F));
    }
    return at;
}

inline char* escape_surrogate(char* at, Py_UCS4 c) {
    static const char digits[] = "0123456789abcdef";
    std::memcpy(at, "\\u", 2);
    for (int i = 0; i < 4; ++i) at[2 + i] = digits[(c >> (12 - 4 * i)) & 15];
    return at + 6;
}

// Whether the next eight characters are ASCII that JSON takes as it is; then they are stored as bytes.
inline bool eight_plain(char* at, const Py_UCS1* from) {
    uint64_t word = load8(from);
    if ((word & tops) || must_escape8(word)) return false;
    std::memcpy(at, &word, 8);
    return true;
}
inline bool eight_plain(char* at, const Py_UCS2* from) {
#if defined(__SSE2__)
    __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    __m128i odd = _mm_or_si128(_mm_cmpeq_epi16(block, _mm_set1_epi16('"')), _mm_cmpeq_epi16(block, _mm_set1_epi16('\\')));
    odd = _mm_or_si128(odd, _mm_cmplt_epi16(block, _mm_set1_epi16(0x20)));  // above 0x7FFF counts as negative
    odd = _mm_or_si128(odd, _mm_cmpgt_epi16(block, _mm_set1_epi16(0x7F)));
    if (_mm_movemask_epi8(odd)) return false;
    _mm_storel_epi64(reinterpret_cast<__m128i*>(at), _mm_packus_epi16(block, block));
    return true;
#else
    (void)at, (void)from;
    return false;
#endif
}
inline bool eight_plain(char*, const Py_UCS4*) { return false; }

template <class Char>
inline void json_wide(Buffer& out, const Char* from, size_t count) {
    constexpr size_t piece = 4096;
    while (count > 0) {
        size_t todo = count < piece ? count : piece;
        out.need(todo * 6);
        char* at = out.at;
        for (const Char* end = from + todo; from < end; ++from) {
            while (end - from >= 8 && eight_plain(at, from)) from += 8, at += 8;
            if (from == end) break;
            Py_UCS4 c = *from;
            if (c < 0x80)
                at = plain_byte((unsigned char)c) ? (*at = char(c), at + 1) : escape_one(at, (unsigned char)c);
            else if (sizeof(Char) > 1 && c >= 0xD800 && c < 0xE000)
                at = escape_surrogate(at, c);  // RFC 8259 section 8.2: a lone surrogate, told by its escape
            else
                at = utf8(at, c);
        }
        out.at = at;
        count -= todo;
    }
}

// Whether a high surrogate stands right before a low one as two characters: JSON's escapes would read as one.
template <class Char>
inline bool split_pair(const Char* from, size_t count) {
    for (size_t i = 0; i + 1 < count; ++i)
        if ((from[i] & ~Char(0x3FF)) == 0xD800 && (from[i + 1] & ~Char(0x3FF)) == 0xDC00) return true;
    return false;
}

inline bool unsayable(PyObject* string) {
    if (PyUnicode_IS_ASCII(string)) return false;
    size_t count = size_t(PyUnicode_GET_LENGTH(string));
    switch (PyUnicode_KIND(string)) {
        case PyUnicode_1BYTE_KIND: return false;
        case PyUnicode_2BYTE_KIND: return split_pair(static_cast<Py_UCS2*>(PyUnicode_DATA(string)), count);
        default: return split_pair(static_cast<Py_UCS4*>(PyUnicode_DATA(string)), count);
    }
}

// Writes the characters of a str inside JSON quotes, as json.dumps(ensure_ascii=False) escapes them.
inline void json_characters(Buffer& out, PyObject* string) {
    size_t count = size_t(PyUnicode_GET_LENGTH(string));
    if (PyUnicode_IS_ASCII(string)) return json_ascii(out, static_cast<unsigned char*>(PyUnicode_DATA(string)), count);
    switch (PyUnicode_KIND(string)) {
        case PyUnicode_1BYTE_KIND: return json_wide(out, static_cast<Py_UCS1*>(PyUnicode_DATA(string)), count);
        case PyUnicode_2BYTE_KIND: return json_wide(out, static_cast<Py_UCS2*>(PyUnicode_DATA(string)), count);
        default: return json_wide(out, static_cast<Py_UCS4*>(PyUnicode_DATA(string)), count);
    }
}

inline void json_string(Buffer& out, PyObject* string) {
    size_t count = size_t(PyUnicode_GET_LENGTH(string));
    if (count < 16 && PyUnicode_IS_ASCII(string)) {  // most strings: two overlapping loads tell that nothing is escaped
        const unsigned char* from = static_cast<unsigned char*>(PyUnicode_DATA(string));
        out.need(count * 6 + 2);
        char* at = out.at;
        *at++ = '"';
        if (count >= 8) {
            uint64_t head = load8(from), tail = load8(from + count - 8);
            if (!must_escape8(head) && !must_escape8(tail)) {
                std::memcpy(at, &head, 8);
                std::memcpy(at + count - 8, &tail, 8);
                at[count] = '"';
                out.at = at + count + 1;
                return;
            }
        }
        for (size_t i = 0; i < count; ++i) {
            if (plain_byte(from[i]))
                *at++ = char(from[i]);
            else
                at = escape_one(at, from[i]);
        }
        *at++ = '"';
        out.at = at;
        return;
    }
    out.put('"');
    json_characters(out, string);
    out.put('"');
}

template <class Char>
inline bool utf8_size(const Char* from, size_t count, size_t& size) {
    size_t total = count;
    unsigned lone = 0;
    while (count > 0) {  // in pieces, with counters as narrow as the characters: the compiler makes vectors of that
        size_t piece = count < 127 ? count : 127;
        Char two = 0, three = 0, four = 0, surrogates = 0;
        for (size_t i = 0; i < piece; ++i) {
            Char c = from[i];
            two = Char(two + (c >= 0x80));
            if (sizeof(Char) > 1) {
                three = Char(three + (c >= 0x800));
                surrogates = Char(surrogates + ((c & ~Char(0x7FF)) == Char(0xD800)));
            }
            if (sizeof(Char) > 2) four = Char(four + (Py_UCS4(c) >= 0x10000));
        }
        total += size_t(two) + three + four;
        lone |= unsigned(surrogates);
        from += piece;
        count -= piece;
    }
    size = total;
    return lone == 0;
}

template <class Char>
inline void utf8_all(char* at, const Char* from, size_t count) {
    for (const Char* end = from + count; from < end; ++from) {
        while (end - from >= 8 && eight_plain(at, from)) from += 8, at += 8;
        if (from == end) break;
        at = utf8(at, *from);
    }
}

// The UTF-8 length of a str; false when it holds a lone surrogate (then it is the WTF-8 length).
inline bool utf8_length(PyObject* string, size_t& size) {
    size_t count = size_t(PyUnicode_GET_LENGTH(string));
    switch (PyUnicode_KIND(string)) {
        case PyUnicode_1BYTE_KIND: return utf8_size(static_cast<Py_UCS1*>(PyUnicode_DATA(string)), count, size);
        case PyUnicode_2BYTE_KIND: return utf8_size(static_cast<Py_UCS2*>(PyUnicode_DATA(string)), count, size);
        default: return utf8_size(static_cast<Py_UCS4*>(PyUnicode_DATA(string)), count, size);
    }
}

inline void utf8_write(char* at, PyObject* string) {
    size_t count = size_t(PyUnicode_GET_LENGTH(string));
    switch (PyUnicode_KIND(string)) {
        case PyUnicode_1BYTE_KIND: return utf8_all(at, static_cast<Py_UCS1*>(PyUnicode_DATA(string)), count);
        case PyUnicode_2BYTE_KIND: return utf8_all(at, static_cast<Py_UCS2*>(PyUnicode_DATA(string)), count);
        default: return utf8_all(at, static_cast<Py_UCS4*>(PyUnicode_DATA(string)), count);
    }
}

// ---- reading ----

// The first byte at or after `at` that ends or interrupts a JSON string: quote, backslash, control character.
// `high` collects whether a byte outside ASCII was passed.
inline const unsigned char* scan_string(const unsigned char* at, const unsigned char* end, bool& high) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), low = _mm_set1_epi8(0x1F);
    int highs = 0;
    while (end - at >= 16) {
        __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, low), block);
        int mask = _mm_movemask_epi8(
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, slash)), control));
        int top = _mm_movemask_epi8(block);
        if (mask != 0) {
            int stop = __builtin_ctz(unsigned(mask));
            highs |= top & ((1 << stop) - 1);
            high |= highs != 0;
            return at + stop;
        }
        highs |= top;
        at += 16;
    }
    high |= highs != 0;
#endif
    for (; at < end && plain_byte(*at); ++at) high |= *at >= 0x80;
    return at;
}

}  // namespace mason::text
