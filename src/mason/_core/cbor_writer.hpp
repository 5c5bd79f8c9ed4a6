// Strategy: spells values as CBOR (RFC 8949) in preferred serialization. Heads count items, not bytes, so the
// two bytes of a shared mark (tag 28) can be spliced in before what was met twice, when all is written.
#pragma once

#include "buffer.hpp"
#include "cbor_text.hpp"
#include "memo.hpp"
#include "moments.hpp"
#include "plan.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace mason {

class CborWriter {
  public:
    static constexpr bool json = false;
    explicit CborWriter(int) {}

    Buffer out;
    Py_ssize_t most_digits = -1;              // numbers are binary here
    static constexpr bool must_type = false;  // no key reads like a header

    void null() { out.put(char(0xF6)); }
    void boolean(bool value) { out.put(char(value ? 0xF5 : 0xF4)); }
    bool text(PyObject* string) {
        cbor_text(out, string);
        return true;
    }
    // The shortest float that keeps the value; every NaN keeps its bits (RFC 8949 section 4.1).
    void real(double number) {
        out.need(9);
        uint64_t bits;
        std::memcpy(&bits, &number, 8);
        uint32_t single, half;
        if (!to_single(number, bits, single)) {
            *out.at = char(0xFB);
            store_big(out.at + 1, bits);
            out.at += 9;
        } else if (to_half(single, half)) {
            *out.at = char(0xF9);
            store_big(out.at + 1, uint64_t(half) << 48);
            out.at += 3;
        } else {
            *out.at = char(0xFA);
            store_big(out.at + 1, uint64_t(single) << 32);
            out.at += 5;
        }
    }
    void odd_real(double number) { real(number); }
    __attribute__((always_inline)) void small_integer(int64_t number) {
        if (uint64_t(number) < 24) return out.put(char(number));
        wide_integer(number);
    }
    void wide_integer(int64_t number) {
        out.need(9);
        out.at = cbor_head(out.at, number < 0 ? 1 : 0, number < 0 ? ~uint64_t(number) : uint64_t(number));
    }
    bool big_integer(PyObject* number) {
        Ref zero = Ref::check(PyLong_FromLong(0));
        int negative = PyObject_RichCompareBool(number, zero.get(), Py_LT);
        check(negative);
        Ref magnitude = negative ? Ref::check(PyNumber_Invert(number)) : Ref::share(number);
        size_t bits = bit_length(magnitude.get());
        if (bits <= 64) {
            unsigned long long value = PyLong_AsUnsignedLongLong(magnitude.get());
            if (value == (unsigned long long)-1 && PyErr_Occurred()) throw PythonError{};
            head(negative ? 1 : 0, value);
            return false;
        }
        Py_ssize_t count = Py_ssize_t((bits + 7) / 8);
        Ref bytes = Ref::check(PyObject_CallMethod(magnitude.get(), "to_bytes", "ns", count, "big"));
        head(6, negative ? 3 : 2);
        byte_string(PyBytes_AS_STRING(bytes.get()), size_t(count));
        return false;
    }

    void complex_number(Py_complex number) {
        head(6, 43000);
        head(4, 2);
        real(number.real);
        real(number.imag);
    }
    void bytes(const char* data, size_t count, bool mutable_twin) {
        if (mutable_twin) head(6, 122);
        byte_string(data, count);
    }
    void decimal_number(const char* text, size_t count);
    void small_decimal(const layout::SmallDecimal& number) {
        bool minus_zero = number.negative && number.digits == 0;
        head(6, minus_zero ? 268 : 4);
        head(4, minus_zero ? 3 : 2);
        small_integer(number.exponent);
        head(number.negative && !minus_zero ? 1 : 0, number.digits - (number.negative && !minus_zero));
        if (minus_zero) small_integer(1);
    }
    void fraction(PyObject* numerator, PyObject* denominator) {
        head(6, 30);
        head(4, 2);
        integer(numerator);
        integer(denominator);
    }
    void uuid(const unsigned char* sixteen) {
        head(6, 37);
        byte_string(reinterpret_cast<const char*>(sixteen), 16);
    }
    void datetime(PyObject* moment, PyObject* offset, PyObject* zone, bool utc) {
        if (utc && epoch(moment)) return;
        char buffer[80];
        char* at = moments::write_wall(buffer, moment);
        if (offset) at = moments::write_offset(at, offset);
        bool plain = !offset || (PyDateTime_DELTA_GET_SECONDS(offset) % 60 == 0 && PyDateTime_DELTA_GET_MICROSECONDS(offset) == 0);
        if (!zone && !plain) return string_slot("datetime:datetime", buffer, size_t(at - buffer));  // no RFC 3339 offset
        if (!zone) {
            size_t count = size_t(at - buffer);
            head(6, offset ? 0 : 123);
            head(3, count);
            out.need(count);
            copy_padded(out.at, buffer, count);
            out.at += count;
            return;
        }
        std::string whole(buffer, size_t(at - buffer));
        whole += '[' + std::string(static_cast<const char*>(PyUnicode_DATA(zone)), size_t(PyUnicode_GET_LENGTH(zone))) + ']';
        string_slot("datetime:datetime", whole.data(), whole.size());
    }
    void date(PyObject* date) {
        char buffer[16];
        head(6, 1004);
        text_string(buffer, size_t(moments::write_date(buffer, date) - buffer));
    }
    void time(PyObject* time, PyObject* offset) {
        char buffer[48];
        char* at = moments::write_clock(buffer, PyDateTime_TIME_GET_HOUR(time), PyDateTime_TIME_GET_MINUTE(time),
            PyDateTime_TIME_GET_SECOND(time), PyDateTime_TIME_GET_MICROSECOND(time));
        if (offset) at = moments::write_offset(at, offset);
        string_slot("datetime:time", buffer, size_t(at - buffer));
    }
    void timedelta(PyObject* delta) {
        int64_t seconds = int64_t(PyDateTime_DELTA_GET_DAYS(delta)) * 86400 + PyDateTime_DELTA_GET_SECONDS(delta);
        int micro = PyDateTime_DELTA_GET_MICROSECONDS(delta);
        head(6, 1002);
        head(5, micro ? 2 : 1);
        small_integer(1);
        small_integer(seconds);
        if (!micro) return;
        small_integer(-6);
        small_integer(micro);
    }
    void global(PyObject* name) {
        head(6, 39);
        text(name);
    }
    void simple(unsigned number) {
        out.need(2);
        out.at = cbor_head(out.at, 7, number);
    }

    void item(Py_ssize_t) {}
    void list_begin(size_t count) { head(4, count); }
    void list_end(Py_ssize_t) {}
    void dict_begin(size_t count) { head(5, count); }
    void dict_end(Py_ssize_t) {}
    bool key(PyObject* key) { return text(key); }
    void raw_key(PyObject* key) { text(key); }
    void field(const Field& field) { out.put(field.cbor); }
    void form_list_begin(Key key, size_t count) {
        if (key == Key::Tuple || key == Key::Frozenset) head(6, 121);
        if (key == Key::Set || key == Key::Frozenset) head(6, 258);
        head(4, count);
    }
    void form_list_end(Py_ssize_t) {}
    void map_begin(size_t count) {
        head(6, 259);
        head(5, count);
    }
    void map_end(Py_ssize_t) {}
    void entry_begin() {}
    void entry_between() {}
    void entry_end() {}
    void tag_begin(PyObject*, uint64_t number) { head(6, number); }
    void tag_end() {}
    void instance_begin(const Plan* plan, size_t count, bool) {
        out.put(plan->body->cbor_head);
        head(5, count);
    }
    void record_begin(PyObject* name, size_t count) {
        head(6, 283);
        head(4, 2);
        text(name);
        head(5, count);
    }
    void instance_end(bool) {}
    void reference(uint32_t visit) {
        head(6, 29);
        references_.push_back({out.size(), visit});
        out.put('\0');
    }
    void raw(const std::string& bytes) { out.put(bytes.data(), bytes.size()); }
    std::string since(size_t start) const { return std::string(out.data() + start, out.size() - start); }

    Ref finish(std::vector<Visit>& visits, bool);

  private:
    struct Reference {
        size_t at;
        uint32_t visit;
    };

    void head(unsigned major, uint64_t number) {
        if (number < 24) return out.put(char(major << 5 | unsigned(number)));
        out.need(9);
        out.at = cbor_head(out.at, major, number);
    }
    void byte_string(const char* data, size_t count) {
        head(2, count);
        out.put(data, count);
    }
    void text_string(const char* data, size_t count) {
        head(3, count);
        out.put(data, count);
    }
    // An instance form whose only slot is its text.
    void string_slot(const char* name, const char* data, size_t count) {
        head(6, 283);
        head(4, 2);
        text_string(name, std::strlen(name));
        head(5, 1);
        text_string("$str", 4);
        text_string(data, count);
    }
    void integer(PyObject* number) {
        int overflow = 0;
        long long small = PyLong_AsLongLongAndOverflow(number, &overflow);
        if (small == -1 && PyErr_Occurred()) throw PythonError{};
        if (overflow)
            big_integer(number);
        else
            small_integer(small);
    }
    static size_t bit_length(PyObject* number) {
        Ref bits = Ref::check(PyObject_CallMethod(number, "bit_length", nullptr));
        size_t count = PyLong_AsSize_t(bits.get());
        if (count == size_t(-1) && PyErr_Occurred()) throw PythonError{};
        return count;
    }
    static bool to_single(double number, uint64_t bits, uint32_t& single) {
        if (bits & 0x1FFFFFFF) return false;  // more digits than a single has
        if (number != number) {
            single = uint32_t((bits >> 32 & 0x80000000u) | 0x7F800000u | (bits >> 29 & 0x7FFFFF));
            return true;
        }
        float nearest = float(number);
        std::memcpy(&single, &nearest, 4);
        return double(nearest) == number;
    }
    static bool to_half(uint32_t bits, uint32_t& half) {
        uint32_t sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 0xFF, fraction = bits & 0x7FFFFF;
        if (exponent == 255 || exponent == 0) {
            if (exponent == 0 && fraction != 0) return false;
            if (fraction & 0x1FFF) return false;
            half = sign | (exponent ? 0x7C00 : 0) | fraction >> 13;
            return true;
        }
        int power = int(exponent) - 127;
        if (power >= -14 && power <= 15) {
            if (fraction & 0x1FFF) return false;
            half = sign | uint32_t(power + 15) << 10 | fraction >> 13;
            return true;
        }
        if (power >= -24 && power < -14) {  // a subnormal half
            uint32_t whole = fraction | 0x800000;
            int shift = -power - 14 + 13;
            if (whole & ((1u << shift) - 1)) return false;
            half = sign | whole >> shift;
            return true;
        }
        return false;
    }
    // Tag 1 when seconds since the epoch, whole or as a float, give the moment back exactly.
    bool epoch(PyObject* moment) {
        int64_t year = PyDateTime_GET_YEAR(moment), month = PyDateTime_GET_MONTH(moment), day = PyDateTime_GET_DAY(moment);
        year -= month <= 2;  // days since 1970-01-01 in the proleptic Gregorian calendar
        int64_t era = (year >= 0 ? year : year - 399) / 400;
        int64_t yoe = year - era * 400, doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
        int64_t seconds = days * 86400 + PyDateTime_DATE_GET_HOUR(moment) * 3600 + PyDateTime_DATE_GET_MINUTE(moment) * 60 +
                          PyDateTime_DATE_GET_SECOND(moment);
        int64_t micro = PyDateTime_DATE_GET_MICROSECOND(moment);
        if (micro == 0) {
            head(6, 1);
            small_integer(seconds);
            return true;
        }
        double value = double(seconds * 1000000 + micro) / 1e6;
        if (std::llround(value * 1e6) != seconds * 1000000 + micro || std::fabs(value) > 4294967296.0) return false;
        head(6, 1);
        real(value);
        return true;
    }

    std::vector<Reference> references_;
};

// Tag 4 [exponent, mantissa]; -0, the infinities and NaNs under tag 268 [exponent, mantissa, flags].
inline void CborWriter::decimal_number(const char* text, size_t count) {
    const char* end = text + count;
    bool negative = *text == '-';
    if (negative) ++text;
    auto extended = [&](unsigned flags, const char* digits, const char* stop) {
        if (stop - digits > 4300) return string_slot("decimal:Decimal", text - negative, size_t(end - text) + negative);
        head(6, 268);
        head(4, 3);
        small_integer(0);
        if (digits == stop)
            small_integer(0);
        else
            integer(integer_of_digits(digits, size_t(stop - digits)).get());
        small_integer(flags + (negative ? 1 : 0));
    };
    if (*text == 'I') return extended(2, end, end);
    if (*text == 'N') return extended(4, text + 3, end);
    if (*text == 's') return extended(6, text + 4, end);
    std::string digits;
    int64_t exponent = 0;
    bool fraction = false, zero = true;
    const char* at = text;
    for (; at < end && *at != 'E'; ++at) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        if (fraction) --exponent;
        zero &= *at == '0';
        if (!(digits.empty() && *at == '0')) digits += *at;
    }
    if (at < end) exponent += std::strtoll(at + 1, nullptr, 10);
    if (zero) digits = "0";
    if (digits.size() > 4300) return string_slot("decimal:Decimal", text - negative, size_t(end - text) + negative);
    if (zero && negative) {
        head(6, 268);
        head(4, 3);
        small_integer(exponent);
        small_integer(0);
        small_integer(1);
        return;
    }
    head(6, 4);
    head(4, 2);
    small_integer(exponent);
    if (digits.size() <= 18) {
        int64_t value = std::strtoll(digits.c_str(), nullptr, 10);
        small_integer(negative ? -value : value);
        return;
    }
    if (negative) digits.insert(0, "-");
    integer(integer_of_digits(digits.data(), digits.size()).get());
}

inline Ref CborWriter::finish(std::vector<Visit>& visits, bool) {
    if (references_.empty()) return out.take();
    for (const Reference& reference : references_) visits[reference.visit].again = true;
    uint32_t next = 0;
    size_t total = out.size();
    char number[9];
    for (Visit& visit : visits)
        if (visit.again) {
            visit.id = ++next;
            total += 2;
        }
    for (const Reference& reference : references_)
        total += size_t(cbor_head(number, 0, visits[reference.visit].id - 1) - number) - 1;
    Ref result = Ref::check(PyBytes_FromStringAndSize(nullptr, Py_ssize_t(total)));
    char* to = PyBytes_AS_STRING(result.get());
    size_t done = 0;
    auto copy = [&](size_t upto) {
        std::memcpy(to, out.data() + done, upto - done);
        to += upto - done;
        done = upto;
    };
    size_t r = 0;
    auto references_before = [&](size_t limit) {
        for (; r < references_.size() && references_[r].at < limit; ++r) {
            copy(references_[r].at);
            size_t count = size_t(cbor_head(number, 0, visits[references_[r].visit].id - 1) - number);
            std::memcpy(to, number, count);  // `to` has room for no more
            to += count;
            ++done;
        }
    };
    for (const Visit& visit : visits) {
        if (!visit.again) continue;
        references_before(visit.start);
        copy(visit.start);
        *to++ = char(0xD8);
        *to++ = char(0x1C);
    }
    references_before(out.size() + 1);
    copy(out.size());
    return result;
}

}  // namespace mason
