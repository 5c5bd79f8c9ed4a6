// Strategy: see build.hpp. The value forms that both formats have, each made of its text or its parts.
#include "build.hpp"

#include "number_text.hpp"

#include <structmember.h>

namespace mason {

// ---- value forms ----

static bool all_digits(const char* at, const char* end) {
    for (const char* c = at; c < end; ++c)
        if (*c < '0' || *c > '9') return false;
    return at < end;
}

// The grammar of str(Decimal), ASCII only.
static bool decimal_grammar(const char* at, const char* end, bool& special, int& exponent_digits) {
    special = false;
    exponent_digits = 0;
    if (at < end && (*at == '-' || *at == '+')) ++at;
    std::string_view rest(at, size_t(end - at));
    if (rest == "Infinity") return special = true;
    if (rest.substr(0, 4) == "sNaN") return special = true, rest.size() == 4 || all_digits(at + 4, end);
    if (rest.substr(0, 3) == "NaN") return special = true, rest.size() == 3 || all_digits(at + 3, end);
    const char* stop = at;
    while (stop < end && *stop != 'E' && *stop != 'e') ++stop;
    const char* point = at;
    while (point < stop && *point != '.') ++point;
    bool whole = all_digits(at, point), part = point < stop && all_digits(point + 1, stop);
    if (point < stop ? !(whole && part) && !(point == at && part) : !whole) return false;
    if (stop == end) return true;
    const char* power = stop + 1;
    if (power < end && (*power == '-' || *power == '+')) ++power;
    exponent_digits = int(std::min<ptrdiff_t>(end - power, 100));
    return all_digits(power, end);
}

// The type, imported when the first number of it comes.
PyObject* Builder::decimal_type() {
    if (!decimal_) {
        CallOut running(collector_);
        Ref module = Ref::check(PyImport_ImportModule("decimal"));
        decimal_ = attribute(module.get(), "Decimal");
    }
    return decimal_.get();
}

// mantissa * 10**exponent; of an exponent below 1000 no context can refuse anything.
Ref Builder::small_decimal(int64_t mantissa, int exponent) {
    char digits[40], *end = digits;
    if (mantissa < 0) *end++ = '-';
    end = mason::decimal(end, mantissa < 0 ? 0 - uint64_t(mantissa) : uint64_t(mantissa));
    if (exponent != 0) {
        *end++ = 'E';
        if (exponent < 0) *end++ = '-';
        end = mason::decimal(end, uint64_t(exponent < 0 ? -exponent : exponent));
    }
    Ref string = Ref::check(PyUnicode_New(end - digits, 127));
    std::memcpy(PyUnicode_DATA(string.get()), digits, size_t(end - digits));
    return Ref::check(PyObject_CallOneArg(decimal_type(), string.get()));
}

Ref Builder::make_decimal(PyObject* text, size_t at) {
    if (!is_text(text) || !PyUnicode_IS_ASCII(text)) fail("value", "a decimal is its digits as text", "", at);
    const char* from = static_cast<const char*>(PyUnicode_DATA(text));
    bool special;
    int exponent_digits;
    if (!decimal_grammar(from, from + PyUnicode_GET_LENGTH(text), special, exponent_digits))
        fail("value", "not a decimal number", "", at);
    PyObject* made = PyObject_CallOneArg(decimal_type(), text);
    if (made == nullptr) wrap("not a decimal number that Python can hold", at);
    Ref number = Ref::steal(made);
    if (!special && exponent_digits > 15) {  // a context that does not trap gives NaN for what is out of range
        int sound = PyObject_RichCompareBool(made, made, Py_EQ);
        Ref again = call_method(made, "is_nan");
        if (sound < 0) throw PythonError{};
        if (again.get() == Py_True) fail("value", "not a decimal number that Python can hold", "", at);
    }
    return number;
}

Ref Builder::make_fraction(PyObject* numerator, PyObject* denominator, size_t at) {
    for (PyObject* part : {numerator, denominator}) {
        if (!PyLong_CheckExact(part)) fail("value", "a fraction has two ints", "", at);
        // a greatest common divisor is quadratic
        if (beyond_digits(part)) fail("limit", "a fraction of more than 4300 digits", "", at);
    }
    Ref one = Ref::check(PyLong_FromLong(1));
    int positive = PyObject_RichCompareBool(denominator, one.get(), Py_GE);
    check(positive);
    if (!positive) fail("value", "the denominator of a fraction is at least 1", "", at);
    CallOut running(collector_);
    if (!fraction_) {
        Ref module = Ref::check(PyImport_ImportModule("fractions"));
        fraction_ = attribute(module.get(), "Fraction");
    }
    return Ref::check(PyObject_CallFunctionObjArgs(fraction_.get(), numerator, denominator, nullptr));
}

static Py_ssize_t slot_offset(PyObject* cls, const char* name) {
    Ref descriptor = attribute(cls, name);
    if (!Py_IS_TYPE(descriptor.get(), &PyMemberDescr_Type)) raise(PyExc_TypeError, "uuid.UUID has no slots");
    return reinterpret_cast<PyMemberDescrObject*>(descriptor.get())->d_member->offset;
}

Ref Builder::make_uuid(const unsigned char* sixteen) {
    if (!uuid_) {
        CallOut running(collector_);
        Ref module = Ref::check(PyImport_ImportModule("uuid"));
        Ref cls = attribute(module.get(), "UUID");
        Ref safe = attribute(module.get(), "SafeUUID");
        uuid_unknown_ = attribute(safe.get(), "unknown");
        uuid_int_ = slot_offset(cls.get(), "int");
        uuid_safe_ = slot_offset(cls.get(), "is_safe");
        uuid_ = cls;
    }
    if (!empty_tuple_) empty_tuple_ = Ref::check(PyTuple_New(0));
    Ref number = Ref::check(_PyLong_FromByteArray(sixteen, 16, 0, 0));
    Ref made = Ref::check(PyBaseObject_Type.tp_new(reinterpret_cast<PyTypeObject*>(uuid_.get()), empty_tuple_.get(), nullptr));
    char* start = reinterpret_cast<char*>(made.get());
    *reinterpret_cast<PyObject**>(start + uuid_int_) = number.release();
    *reinterpret_cast<PyObject**>(start + uuid_safe_) = Py_NewRef(uuid_unknown_.get());
    return made;
}

Ref Builder::zone_by_key(std::string_view key, size_t at) {
    if (last_zone_ && last_zone_key_ == key) return last_zone_;
    CallOut running(collector_);
    Ref plan = Ref::check(PyObject_CallFunction(state.kind_plan, "s", "zoneinfo:ZoneInfo"));
    if (!Py_IS_TYPE(plan.get(), state.plan_type)) raise(PyExc_TypeError, "no plan for zoneinfo:ZoneInfo");
    Ref text = Ref::check(PyUnicode_DecodeUTF8(key.data(), Py_ssize_t(key.size()), "replace"));
    Ref slots = Ref::check(Py_BuildValue("{OO}", state.reserved[int(Key::Str)], text.get()));
    PyObject* zone = PyObject_CallOneArg(reinterpret_cast<Plan*>(plan.get())->make, slots.get());
    if (zone == nullptr) wrap("a time zone", at);
    last_zone_ = Ref::steal(zone);
    last_zone_key_ = std::string(key);
    return last_zone_;
}

// Digits of a fraction beyond the sixth must be zero; they are taken out before the text is read.
static std::string without_idle_zeros(const char* text, size_t size) {
    std::string out;
    bool fraction = false;
    int places = 0;
    for (size_t i = 0; i < size; ++i) {
        char c = text[i];
        if (fraction && c >= '0' && c <= '9') {
            if (++places > 6 && c == '0') continue;
        } else {
            fraction = c == '.';
            places = 0;
        }
        out += c;
    }
    return out;
}

Ref Builder::make_datetime(const char* text, size_t size, size_t at, int need_offset) {
    moments::fetch();
    std::string trimmed;
    if (size > 26) {
        trimmed = without_idle_zeros(text, size);
        text = trimmed.data();
        size = trimmed.size();
    }
    const char *c = text, *end = text + size;
    moments::Wall wall;
    int64_t offset = 0;
    bool has_offset = false, sound = moments::read_date(c, end, wall);
    sound = sound && c < end && (*c == 'T' || *c == 't' || *c == ' ') && moments::read_clock(++c, end, wall);
    if (sound && c < end && *c != '[') has_offset = sound = moments::read_offset(c, end, offset);
    Ref zone = Ref::share(Py_None);
    if (sound && c < end) {
        sound = *c == '[' && end[-1] == ']' && need_offset < 0;
        if (sound) zone = zone_by_key(std::string_view(c + 1, size_t(end - c - 2)), at);
    } else if (sound && has_offset) {
        if (!last_fixed_ || last_fixed_offset_ != offset) {
            last_fixed_ = moments::zone_of(offset);
            last_fixed_offset_ = offset;
        }
        zone = last_fixed_;
    }
    if (sound && need_offset >= 0 && has_offset != (need_offset == 1)) sound = false;
    if (!sound) fail("value", "not a date and time", "they look like 2026-11-22T10:33:00.000005+01:00", at);
    PyObject* made = PyDateTimeAPI->DateTime_FromDateAndTime(wall.year, wall.month, wall.day, wall.hour, wall.minute, wall.second,
        wall.microsecond, zone.get(), PyDateTimeAPI->DateTimeType);
    if (made == nullptr) wrap("not a date and time", at);
    return Ref::steal(made);
}

Ref Builder::make_date(const char* text, size_t size, size_t at) {
    moments::fetch();
    const char* c = text;
    moments::Wall wall;
    if (!moments::read_date(c, text + size, wall) || c != text + size) fail("value", "not a date", "dates look like 2026-11-22", at);
    PyObject* made = PyDate_FromDate(wall.year, wall.month, wall.day);
    if (made == nullptr) wrap("not a date", at);
    return Ref::steal(made);
}

Ref Builder::make_time(const char* text, size_t size, size_t at) {
    moments::fetch();
    std::string trimmed = without_idle_zeros(text, size);
    const char *c = trimmed.data(), *end = c + trimmed.size();
    moments::Wall wall;
    int64_t offset = 0;
    bool sound = moments::read_clock(c, end, wall), has_offset = sound && c < end;
    if (has_offset) sound = moments::read_offset(c, end, offset);
    if (!sound || c != end) fail("value", "not a time of day", "times look like 10:33:00.000005", at);
    Ref zone = has_offset ? moments::zone_of(offset) : Ref::share(Py_None);
    return Ref::check(PyDateTimeAPI->Time_FromTime(
        wall.hour, wall.minute, wall.second, wall.microsecond, zone.get(), PyDateTimeAPI->TimeType));
}

Ref Builder::make_tag(PyObject* number, PyObject* value, size_t at) {
    if (!PyLong_CheckExact(number)) fail("value", "a tag has a number", "", at);
    unsigned long long n = PyLong_AsUnsignedLongLong(number);
    if (n == (unsigned long long)-1 && PyErr_Occurred()) {
        PyErr_Clear();
        fail("value", "a tag's number is between 0 and 2**64-1", "", at);
    }
    if (!options_.plain && own_tag(n))
        fail("value", "the tag " + std::to_string(n) + " has a form of its own", "", at);
    Ref tag = Ref::check(new_pair(state.tag_type, number, value));
    if (forward(value)) fix(tag.get(), nullptr, 0, value, Slot::Second);
    return tag;
}

bool Builder::native_text(Frame& frame, Ref& result) {
    if (!frame.use->native || count(frame) != 2 || content(frame)[0] != state.reserved[int(Key::Str)] || !is_text(content(frame)[1])) return false;
    PyObject* name = frame.use->name.get();
    int which = PyUnicode_CompareWithASCIIString(name, "datetime:datetime") == 0 ? 0
                : PyUnicode_CompareWithASCIIString(name, "datetime:time") == 0   ? 1
                                                                                 : 2;
    Ref text = Ref::share(content(frame)[1]);
    if (which == 2) {
        result = make_decimal(text.get(), frame.start);
    } else {
        if (!PyUnicode_IS_ASCII(text.get())) fail("value", "not a date or time", "", frame.start);
        const char* from = static_cast<const char*>(PyUnicode_DATA(text.get()));
        size_t length = size_t(PyUnicode_GET_LENGTH(text.get()));
        result = which == 0 ? make_datetime(from, length, frame.start) : make_time(from, length, frame.start);
    }
    clear_values(frame);
    return true;
}

}  // namespace mason
