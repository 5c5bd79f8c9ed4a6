// Strategy: spells values as JSON (RFC 8259) in the notation of the spec. The walk calls it in document order;
// what only shows at the end (the header of a typed document, ids of shared objects, the doubled dollar of
// user keys) is spliced into the finished text in one copy.
#pragma once

#include "buffer.hpp"
#include "number_text.hpp"
#include "memo.hpp"
#include "moments.hpp"
#include "plan.hpp"
#include "text.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace mason {

// Base64 of RFC 4648 section 4, with padding.
inline void base64(Buffer& out, const unsigned char* from, size_t count) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.need((count + 2) / 3 * 4);
    char* at = out.at;
    for (; count >= 3; from += 3, count -= 3) {
        unsigned bits = unsigned(from[0]) << 16 | unsigned(from[1]) << 8 | from[2];
        *at++ = letters[bits >> 18];
        *at++ = letters[bits >> 12 & 63];
        *at++ = letters[bits >> 6 & 63];
        *at++ = letters[bits & 63];
    }
    if (count) {
        unsigned bits = unsigned(from[0]) << 16 | (count > 1 ? unsigned(from[1]) << 8 : 0);
        *at++ = letters[bits >> 18];
        *at++ = letters[bits >> 12 & 63];
        *at++ = count > 1 ? letters[bits >> 6 & 63] : '=';
        *at++ = '=';
    }
    out.at = at;
}

template <bool Pretty>
class JsonWriter {
  public:
    static constexpr bool json = true;
    explicit JsonWriter(int indent) : indent_(indent) {}

    Buffer out;
    Py_ssize_t most_digits = 4300;  // beyond them an int is written in hexadecimal
    bool must_type = false;         // a key reads like the header's: without a header it would be one

    // ---- atoms that JSON has ----
    void null() { out.literal("null"); }
    void boolean(bool value) {
        if (value)
            out.literal("true");
        else
            out.literal("false");
    }
    // False, and nothing is written, when JSON cannot say it.
    bool text(PyObject* string) {
        size_t before = out.size();
        if (__builtin_expect(text::json_string(out, string), 1)) return true;
        out.cut(before);
        return false;
    }
    void real(double number) {
        out.need(32);
        out.at = float_repr(out.at, number);
    }
    void small_integer(int64_t number) {
        out.need(24);
        if (number < 0) *out.at++ = '-';
        out.at = decimal(out.at, number < 0 ? 0 - uint64_t(number) : uint64_t(number));
    }
    // An int beyond 64 bits; returns whether it needed a form.
    bool big_integer(PyObject* number) {
        if (!beyond_digits(number)) {
            std::string digits = decimal_digits(number);
            if (most_digits < 0 || Py_ssize_t(digits.size() - (digits[0] == '-')) <= most_digits) {
                raw(digits);
                return false;
            }
        }
        form_open("$int");
        out.put('"');
        ascii(Ref::check(PyNumber_ToBase(number, 16)).get());
        out.literal("\"}");
        return true;
    }

    // ---- value forms ----
    void odd_real(double number) {
        form_open("$float");
        uint64_t bits;
        std::memcpy(&bits, &number, 8);
        if (number > 0) {
            out.literal("\"Infinity\"}");
        } else if (number < 0) {
            out.literal("\"-Infinity\"}");
        } else if (bits == 0x7FF8000000000000ull) {
            out.literal("\"NaN\"}");
        } else {  // ECMAScript's Number() makes NaN of it too
            char hex[32];
            out.put(hex, size_t(std::snprintf(hex, sizeof hex, "\"NaN(%016llx)\"}", (unsigned long long)bits)));
        }
    }
    void complex_number(Py_complex number) {
        form_open("$complex");
        out.put('[');
        part(number.real);
        comma();
        part(number.imag);
        out.literal("]}");
    }
    void bytes(const char* data, size_t count, bool mutable_twin) {
        if (mutable_twin)
            form_open("$bytearray");
        else
            form_open("$bytes");
        out.put('"');
        base64(out, reinterpret_cast<const unsigned char*>(data), count);
        out.literal("\"}");
    }
    void decimal_number(const char* text, size_t count) {
        form_open("$decimal");
        out.put('"');
        out.put(text, count);
        out.literal("\"}");
    }
    // As str spells it: plain down to 1E-7, with an exponent beyond and for tens that are not digits.
    void small_decimal(const layout::SmallDecimal& number) {
        char digits[48], text[64], *at = text;
        int64_t count = decimal(digits, number.digits) - digits, point = count + number.exponent;
        if (number.negative) *at++ = '-';
        auto copy = [&](int64_t from, int64_t to) {
            std::memcpy(at, digits + from, 20);  // more than asked for, without a call
            at += to - from;
        };
        if (number.exponent > 0 || point < -5) {
            copy(0, 1);
            if (count > 1) *at++ = '.';
            copy(1, count);
            *at++ = 'E';
            *at++ = point > 0 ? '+' : '-';
            at = decimal(at, point > 0 ? uint64_t(point - 1) : uint64_t(1 - point));
        } else if (point > 0) {
            copy(0, point);
            if (point < count) *at++ = '.';
            copy(point, count);
        } else {
            std::memcpy(at, "0.00000", 7);
            at += 2 - point;
            copy(0, count);
        }
        decimal_number(text, size_t(at - text));
    }
    void fraction(PyObject* numerator, PyObject* denominator) {
        form_open("$fraction");
        out.put('"');
        raw(decimal_digits(numerator));
        out.put('/');
        raw(decimal_digits(denominator));
        out.literal("\"}");
    }
    void uuid(const unsigned char* sixteen) {
        static const char hex[] = "0123456789abcdef";
        form_open("$uuid");
        out.need(40);
        char* at = out.at;
        *at++ = '"';
        for (int i = 0; i < 16; ++i) {
            if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
            *at++ = hex[sixteen[i] >> 4];
            *at++ = hex[sixteen[i] & 15];
        }
        *at++ = '"';
        *at++ = '}';
        out.at = at;
    }
    // `offset` is the timedelta of a fixed offset or of a zone, or null; `zone` the key of a ZoneInfo, or null.
    void datetime(PyObject* moment, PyObject* offset, PyObject* zone, bool) {
        form_open("$datetime");
        out.need(80);
        char* at = out.at;
        *at++ = '"';
        at = moments::write_wall(at, moment);
        if (offset) at = moments::write_offset(at, offset);
        out.at = at;
        if (zone) {
            out.put('[');
            ascii(zone);
            out.put(']');
        }
        out.literal("\"}");
    }
    void date(PyObject* date) {
        form_open("$date");
        out.need(16);
        *out.at++ = '"';
        out.at = moments::write_date(out.at, date);
        out.literal("\"}");
    }
    void time(PyObject* time, PyObject* offset) {
        form_open("$time");
        out.need(48);
        char* at = out.at;
        *at++ = '"';
        at = moments::write_clock(at, PyDateTime_TIME_GET_HOUR(time), PyDateTime_TIME_GET_MINUTE(time),
            PyDateTime_TIME_GET_SECOND(time), PyDateTime_TIME_GET_MICROSECOND(time));
        out.at = offset ? moments::write_offset(at, offset) : at;
        out.literal("\"}");
    }
    void timedelta(PyObject* delta) {
        form_open("$timedelta");
        out.need(48);
        *out.at++ = '"';
        out.at = moments::write_delta(out.at, delta);
        out.literal("\"}");
    }
    void global(PyObject* name) {
        form_open("$global");
        text::json_string(out, name);
        out.put('}');
    }
    void simple(unsigned number) {
        form_open("$simple");
        small_integer(number);
        out.put('}');
    }

    // ---- containers: `item` goes before every element, with its place ----
    void item(Py_ssize_t place) {
        if (place > 0) out.mark(',');
        line(place > 0);
    }
    void list_begin(size_t) { open('['); }
    void list_end(Py_ssize_t count) { close(count, ']'); }
    void dict_begin(size_t) { open('{'); }
    void dict_end(Py_ssize_t count) { close(count, '}'); }
    // A user's key of a plain dictionary; false, and nothing is written, when JSON cannot say it.
    bool key(PyObject* key) {
        size_t start = out.size() + 1;
        if (!text(key)) return false;
        if (out.data()[start] == '$') {
            dollars_.push_back(start);
            must_type |= out.size() == start + 7 && std::memcmp(out.data() + start, "$mason", 6) == 0;
        }
        colon();
        return true;
    }
    void raw_key(PyObject* key) {
        text::json_string(out, key);
        colon();
    }
    // A field of an instance, with what goes before it: $type came first, so there is always a comma.
    void field(const Field& field) {
        if (!Pretty) return out.put(field.json);
        item(1);
        out.put(field.json, 1);
        out.put(' ');
    }
    void form_list_begin(Key key, size_t) {
        const char* text = reserved_texts[int(key)];
        out.literal("{\"");
        out.put(text, std::strlen(text));
        out.put('"');
        colon();
        open('[');
    }
    void form_list_end(Py_ssize_t count) {
        close(count, ']');
        out.put('}');
    }
    void map_begin(size_t) { form_list_begin(Key::Map, 0); }
    void map_end(Py_ssize_t count) { form_list_end(count); }
    void entry_begin() { out.put('['); }
    void entry_between() { comma(); }
    void entry_end() { out.put(']'); }
    void tag_begin(PyObject* number, uint64_t) {
        form_open("$tag");
        out.put('[');
        ascii(Ref::check(PyObject_Str(number)).get());
        comma();
    }
    void tag_end() { out.literal("]}"); }
    // The head of an instance; its slots follow, each after item(1).
    void instance_begin(const Plan* plan, size_t, bool flat) {
        if (flat) ++flat_;
        const Spelled& head = plan->body->json_head;
        if (!Pretty) return out.put(head);
        open('{');
        line(false);
        out.literal("\"$type\": ");
        out.put(head, 9);
    }
    void record_begin(PyObject* name, size_t) {
        open('{');
        line(false);
        out.put("\"$type\":", 8);
        if (Pretty) out.put(' ');
        text::json_string(out, name);
    }
    void instance_end(bool flat) {
        close(1, '}');
        if (flat) --flat_;
    }
    // A bare list or dictionary in a slot carries no id; JSON spells it like any other.
    void reference(uint32_t visit) {
        form_open("$ref");
        references_.push_back({out.size(), visit});
        out.literal("0}");
    }
    void raw(const std::string& bytes) { out.put(bytes.data(), bytes.size()); }

    // The finished document; `typed` says whether it must carry the header.
    Ref finish(std::vector<Visit>& visits, bool typed);

    // The text since `start`, to be kept for an enum member.
    std::string since(size_t start) const { return std::string(out.data() + start, out.size() - start); }

  private:
    struct Reference {
        size_t at;
        uint32_t visit;
    };
    struct Splice {
        size_t at;
        unsigned skip;
        std::string text;
    };

    void comma() {
        out.mark(',');
        if (Pretty) out.mark(' ');
    }
    void colon() {
        out.mark(':');
        if (Pretty) out.mark(' ');
    }
    void open(char c) {
        out.put(c);
        if (Pretty) ++level_;
    }
    void close(Py_ssize_t count, char c) {
        if (Pretty) {
            --level_;
            if (count > 0) line(false);
        }
        out.put(c);
    }
    void line(bool after_comma) {
        if (!Pretty) return;
        if (flat_) {
            if (after_comma) out.put(' ');
            return;
        }
        size_t width = size_t(level_) * size_t(indent_);
        out.need(width + 1);
        *out.at++ = '\n';
        std::memset(out.at, ' ', width);
        out.at += width;
    }
    template <size_t N>
    void form_open(const char (&key)[N]) {
        out.need(N + 4);
        std::memcpy(out.at, "{\"", 2);
        std::memcpy(out.at + 2, key, N - 1);
        out.at[N + 1] = '"';
        out.at += N + 2;
        colon();
    }
    void ascii(PyObject* string) { out.put(static_cast<const char*>(PyUnicode_DATA(string)), size_t(PyUnicode_GET_LENGTH(string))); }
    void part(double number) {
        if (std::isfinite(number))
            real(number);
        else
            odd_real(number);
    }
    // What goes right behind the brace at `brace`: the white space that follows it, and a member.
    std::string member_text(size_t brace, const std::string& member) const {
        const char* data = out.data();
        size_t end = brace + 1;
        while (end < out.size() && (data[end] == '\n' || data[end] == ' ')) ++end;
        std::string space(data + brace + 1, end - brace - 1);
        if (end < out.size() && data[end] == '}') return member;
        bool inline_space = Pretty && space.empty();
        return space + member + "," + (inline_space ? " " : "");
    }
    std::string pair(const char* key, uint64_t number) const {
        return std::string("\"") + key + (Pretty ? "\": " : "\":") + std::to_string(number);
    }
    Ref splice(std::vector<Splice>& splices);

    int indent_;
    int level_ = 0;
    int flat_ = 0;
    std::vector<size_t> dollars_;
    std::vector<Reference> references_;
};

template <bool Pretty>
Ref JsonWriter<Pretty>::finish(std::vector<Visit>& visits, bool typed) {
    if (!typed) return out.take();
    uint32_t next = 0;
    for (const Reference& reference : references_) visits[reference.visit].again = true;
    std::vector<Splice> splices;
    bool headed = false;
    const std::string header = pair("$mason", 1);
    const char* space = Pretty ? " " : "";
    for (Visit& visit : visits) {
        if (!visit.again) continue;
        visit.id = ++next;
        std::string id = pair("$id", visit.id);
        if (visit.start == 0) {
            id = header + "," + space + id;
            headed = true;
        }
        if (visit.array) {
            splices.push_back({visit.start, 0, "{" + id + "," + space + "\"$list\":" + space});
            splices.push_back({visit.end, 0, "}"});
        } else if (visit.start == 0 && Pretty) {  // header and id, each on its line
            std::string first = member_text(0, header), second = member_text(0, pair("$id", visit.id));
            splices.push_back({1, 0, first == header ? header + ", " + second : first + second});
        } else {
            splices.push_back({visit.start + 1, 0, member_text(visit.start, id)});
        }
    }
    if (!headed) {
        if (out.data()[0] == '{') {
            splices.push_back({1, 0, member_text(0, header)});
        } else {
            splices.push_back({0, 0, "{" + header + "," + space + "\"$value\":" + space});
            splices.push_back({out.size(), 0, "}"});
        }
    }
    for (size_t at : dollars_) splices.push_back({at, 0, "$"});
    for (const Reference& reference : references_)
        splices.push_back({reference.at, 1, std::to_string(visits[reference.visit].id)});
    return splice(splices);
}

template <bool Pretty>
Ref JsonWriter<Pretty>::splice(std::vector<Splice>& splices) {
    std::stable_sort(splices.begin(), splices.end(), [](const Splice& a, const Splice& b) { return a.at < b.at; });
    size_t total = out.size();
    for (const Splice& splice : splices) total += splice.text.size() - splice.skip;
    Ref result = Ref::check(PyBytes_FromStringAndSize(nullptr, Py_ssize_t(total)));
    char* to = PyBytes_AS_STRING(result.get());
    size_t done = 0;
    for (const Splice& splice : splices) {
        std::memcpy(to, out.data() + done, splice.at - done);
        to += splice.at - done;
        std::memcpy(to, splice.text.data(), splice.text.size());
        to += splice.text.size();
        done = splice.at + splice.skip;
    }
    std::memcpy(to, out.data() + done, out.size() - done);
    return result;
}

}  // namespace mason
