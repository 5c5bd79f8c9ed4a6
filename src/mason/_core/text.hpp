// Strategy: strings go to UTF-8 in one pass: from the copy that Python keeps, where somebody made it make one, else from
// their characters, and no copy is left behind. What JSON escapes is found on the way, sixteen bytes at a time where the
// machine has SSE2 (every x86-64 has), eight at a time elsewhere.
#pragma once

#include "buffer.hpp"
#include "cpython_layout.hpp"

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

// Non-zero iff one of eight bytes is a quote, a backslash or a control character.
inline uint64_t must_escape8(uint64_t word) {
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    return ((word - ones * 0x20) | (quote - ones) | (slash - ones)) & ~word & tops;
}
inline bool plain_byte(unsigned char c) { return c >= 0x20 && c != '"' && c != '\\'; }

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

#if defined(__SSE2__)
// Of sixteen bytes, the bits of those that JSON escapes.
inline unsigned must_escape16(__m128i block) {
    __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
    return unsigned(_mm_movemask_epi8(_mm_or_si128(odd, _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block))));
}
#endif

// Copies UTF-8 up to the first byte that JSON escapes; returns how many bytes that were. Needs room for `count`.
inline size_t copy_plain(char* at, const unsigned char* from, size_t count) {
    size_t done = 0;
    if (count >= 8) {  // the last register overlaps the one before
#if defined(__SSE2__)
        for (; done + 16 <= count; done += 16) {
            __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + done));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(at + done), block);
            if (unsigned mask = must_escape16(block)) return done + size_t(__builtin_ctz(mask));
        }
        if (done == count) return count;
        if (done > 0) {
            __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + count - 16));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(at + count - 16), block);
            unsigned mask = must_escape16(block);
            return mask ? count - 16 + size_t(__builtin_ctz(mask)) : count;
        }
#endif
        for (; done + 8 <= count; done += 8) {
            uint64_t word = load8(from + done);
            if (must_escape8(word)) break;
            std::memcpy(at + done, &word, 8);
        }
        uint64_t tail = load8(from + count - 8);
        if (done + 8 > count && !must_escape8(tail)) {
            std::memcpy(at + count - 8, &tail, 8);
            return count;
        }
    } else if (count >= 4) {
        uint32_t head = load4(from), tail = load4(from + count - 4);
        if (!must_escape8(head | uint64_t(tail) << 32)) {
            std::memcpy(at, &head, 4);
            std::memcpy(at + count - 4, &tail, 4);
            return count;
        }
    }
    for (; done < count && plain_byte(from[done]); ++done) at[done] = char(from[done]);
    return done;
}

// Writes the rest of a string of which something must be escaped. A long one goes piece by piece, so that room for
// the worst case (six bytes for one) is asked for a piece only.
void json_escaped(Buffer& out, const unsigned char* from, size_t count);

// Writes UTF-8 as a JSON string.
inline void json_utf8(Buffer& out, const unsigned char* from, size_t count) {
    out.need(count + 2);
    out.mark('"');
    size_t plain = copy_plain(out.at, from, count);
    out.at += plain;
    if (__builtin_expect(plain != count, 0)) json_escaped(out, from + plain, count - plain);
    out.mark('"');
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

// The same without a branch, below 0x10000: in mixed text nobody can guess what comes next. Writes three bytes.
inline char* utf8_mixed(char* at, uint32_t c) {
    uint32_t two = 0x80C0 | c >> 6 | (c & 0x3F) << 8;
    uint32_t three = 0x8080E0 | c >> 12 | (c >> 6 & 0x3F) << 8 | (c & 0x3F) << 16;
    uint32_t bytes = c < 0x80 ? c : c < 0x800 ? two : three;
    at[0] = char(bytes);
    at[1] = char(bytes >> 8);
    at[2] = char(bytes >> 16);
    return at + 1 + (c >= 0x80) + (c >= 0x800);
}

// Eight characters at once: ASCII (then they were stored as bytes), mixed, or with one that needs a closer look:
// a surrogate, and in JSON what is escaped.
enum class Eight { Ascii, Mixed, Odd };

template <bool Json>
inline Eight eight(char* at, const Py_UCS1* from) {
    uint64_t word = load8(from);
    if (Json && must_escape8(word)) return Eight::Odd;
    if (word & tops) return Eight::Mixed;
    std::memcpy(at, &word, 8);
    return Eight::Ascii;
}
template <bool Json>
inline Eight eight(char* at, const Py_UCS2* from) {
#if defined(__SSE2__)
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)), zero = _mm_setzero_si128();
    auto top = [&](int bits) { return _mm_and_si128(block, _mm_set1_epi16(short(bits))); };
    __m128i odd = _mm_cmpeq_epi16(top(0xF800), _mm_set1_epi16(short(0xD800)));
    if (Json) {
        odd = _mm_or_si128(odd, _mm_cmpeq_epi16(block, _mm_set1_epi16('"')));
        odd = _mm_or_si128(odd, _mm_cmpeq_epi16(block, _mm_set1_epi16('\\')));
        odd = _mm_or_si128(odd, _mm_cmpeq_epi16(top(0xFFE0), zero));
    }
    if (_mm_movemask_epi8(odd)) return Eight::Odd;
    if (_mm_movemask_epi8(_mm_cmpeq_epi16(top(0xFF80), zero)) != 0xFFFF) return Eight::Mixed;
    _mm_storel_epi64(reinterpret_cast<__m128i*>(at), _mm_packus_epi16(block, block));
    return Eight::Ascii;
#else
    (void)at, (void)from;
    return Eight::Odd;
#endif
}
template <bool Json>
inline Eight eight(char*, const Py_UCS4*) {
    return Eight::Odd;
}

// Whether JSON can say a text, and UTF-8. JSON's escapes say every surrogate but a high one right before a low one,
// which would read as one character; UTF-8 says none (what is written then is WTF-8).
struct Sound {
    bool json = true, utf8 = true;
};

// Writes characters as UTF-8, in JSON with its escapes; needs three bytes for each, six in JSON. Returns the end.
template <bool Json, class Char>
inline char* transcode(char* at, const Char* from, const Char* end, const Char* last, Sound& sound) {
    while (from < end) {
        const Char* stop = end;
        if (end - from >= 8) {
            stop = from + 8;
            Eight found = eight<Json>(at, from);
            if (found == Eight::Ascii) at += 8, from += 8;
            if (found == Eight::Mixed)
                for (; from < stop; ++from) at = utf8_mixed(at, uint32_t(*from));
        }
        for (; from < stop; ++from) {
            Py_UCS4 c = *from;
            if (sizeof(Char) > 1 && (c & ~Py_UCS4(0x7FF)) == 0xD800) {
                sound.utf8 = false;
                if (c < 0xDC00 && from + 1 < last && (from[1] & ~Py_UCS4(0x3FF)) == 0xDC00) sound.json = false;
                if (Json) {  // RFC 8259 section 8.2: a lone surrogate, told by its escape
                    static const char digits[] = "0123456789abcdef";
                    std::memcpy(at, "\\u", 2);
                    for (int i = 0; i < 4; ++i) at[2 + i] = digits[(c >> (12 - 4 * i)) & 15];
                    at += 6;
                    continue;
                }
            }
            at = Json && c < 0x80 && !plain_byte((unsigned char)c) ? escape_one(at, (unsigned char)c) : utf8(at, c);
        }
    }
    return at;
}

// Calls `write` with the characters of a str that is not ASCII, as what they are stored as.
template <class Write>
inline void with_characters(PyObject* string, Write write) {
    size_t count = size_t(PyUnicode_GET_LENGTH(string));
    switch (PyUnicode_KIND(string)) {
        case PyUnicode_1BYTE_KIND: return write(static_cast<const Py_UCS1*>(PyUnicode_DATA(string)), count);
        case PyUnicode_2BYTE_KIND: return write(static_cast<const Py_UCS2*>(PyUnicode_DATA(string)), count);
        default: return write(static_cast<const Py_UCS4*>(PyUnicode_DATA(string)), count);
    }
}

// Writes a str that is not ASCII as a JSON string; false when JSON cannot say it (then it is not what was written).
bool json_wide(Buffer& out, PyObject* string);
// Writes a str as a JSON string, as json.dumps(ensure_ascii=False) does; false when JSON cannot say it.
inline bool json_string(Buffer& out, PyObject* string) {
    if (!PyUnicode_IS_COMPACT_ASCII(string)) return json_wide(out, string);
    json_utf8(out, layout::ascii(string), size_t(PyUnicode_GET_LENGTH(string)));
    return true;
}

// ---- reading ----

// The first byte at or after `at` that ends or interrupts a JSON string: quote, backslash, control character.
// `high` collects whether a byte outside ASCII was passed.
inline const unsigned char* scan_string(const unsigned char* at, const unsigned char* end, bool& high) {
#if defined(__SSE2__)
    int highs = 0;
    while (end - at >= 16) {
        __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        int top = _mm_movemask_epi8(block);
        if (unsigned mask = must_escape16(block)) {
            int stop = __builtin_ctz(mask);
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
