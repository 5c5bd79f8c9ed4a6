// Strategy: see cbor_reader.hpp.
#include "cbor_reader.hpp"

#include "text.hpp"

#include <cmath>

namespace mason {

Ref cached_key(const unsigned char* at, size_t count);

static bool is_ascii(const unsigned char* at, size_t count) {
    uint64_t high = 0;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) high |= text::load8(at + i);
    for (; i < count; ++i) high |= at[i];
    return (high & text::tops) == 0;
}

// ---- heads and strings ----

CborReader::Head CborReader::head() {
    size_t start = at();
    if (p_ >= end_) malformed("the bytes end where an item was expected", start);
    unsigned char first = *p_++;
    Head head{unsigned(first) >> 5, unsigned(first) & 31, uint64_t(first) & 31, start};
    if (head.info < 24) return head;
    if (head.info < 28) {
        size_t count = size_t(1) << (head.info - 24);
        if (left() < count) malformed("the bytes end inside an item", start);
        head.number = 0;
        for (size_t i = 0; i < count; ++i) head.number = head.number << 8 | *p_++;
        return head;
    }
    if (head.info != 31) malformed("a reserved head (RFC 8949 section 3)", start);
    bool allowed = (head.major >= 2 && head.major <= 5) || head.major == 7;
    if (!allowed) malformed("this item cannot have an open end (RFC 8949 section 3.2)", start);
    return head;
}

void CborReader::skip_described() {
    static const unsigned char spelled[3][9] = {
        {0xD9, 0xD9, 0xF7}, {0xDA, 0, 0, 0xD9, 0xF7}, {0xDB, 0, 0, 0, 0, 0, 0, 0xD9, 0xF7}};
    static const size_t sizes[3] = {3, 5, 9};
    for (bool again = true; again;) {
        again = false;
        for (int i = 0; i < 3; ++i)
            if (left() >= sizes[i] && std::memcmp(p_, spelled[i], sizes[i]) == 0) {
                p_ += sizes[i];
                again = true;
            }
    }
}

std::string_view CborReader::chunk(const Head& head) {
    if (head.number > left()) malformed("a string is longer than the bytes that are left", head.start);
    std::string_view found(reinterpret_cast<const char*>(p_), size_t(head.number));
    p_ += head.number;
    return found;
}

// The pieces of a string with an open end, each of its own kind and of known length.
bool CborReader::collect(const Head& first, std::string& whole) {
    for (;;) {
        if (p_ < end_ && *p_ == 0xFF) {
            ++p_;
            return true;
        }
        Head piece = head();
        if (piece.major != first.major || piece.open_end()) malformed("a piece of a string is something else", piece.start);
        std::string_view found = chunk(piece);
        if (piece.major == 3) {  // every piece is valid by itself (RFC 8949 section 3.2.3)
            PyObject* valid = PyUnicode_DecodeUTF8(found.data(), Py_ssize_t(found.size()), nullptr);
            if (valid == nullptr) malformed("a text string is not valid UTF-8", piece.start);
            Py_DECREF(valid);
        }
        whole.append(found);
    }
}

Ref CborReader::bytes(const Head& head) {
    if (!head.open_end()) {
        std::string_view found = chunk(head);
        return Ref::check(PyBytes_FromStringAndSize(found.data(), Py_ssize_t(found.size())));
    }
    std::string whole;
    collect(head, whole);
    return Ref::check(PyBytes_FromStringAndSize(whole.data(), Py_ssize_t(whole.size())));
}

Ref CborReader::text(const Head& head) {
    std::string whole;
    std::string_view found;
    if (head.open_end()) {
        collect(head, whole);
        found = whole;
    } else {
        found = chunk(head);
        const unsigned char* from = reinterpret_cast<const unsigned char*>(found.data());
        if (is_ascii(from, found.size())) {
            Ref made = Ref::check(PyUnicode_New(Py_ssize_t(found.size()), 127));
            std::memcpy(PyUnicode_DATA(made.get()), from, found.size());
            return made;
        }
    }
    PyObject* made = PyUnicode_DecodeUTF8(found.data(), Py_ssize_t(found.size()), nullptr);
    if (made == nullptr) malformed("a text string is not valid UTF-8", head.start);
    return Ref::steal(made);
}

// ---- atoms ----

void CborReader::integer(const Head& head) {
    if (head.major == 0) return push(Ref::check(PyLong_FromUnsignedLongLong(head.number)));
    if (head.number <= uint64_t(INT64_MAX)) return push(Ref::check(PyLong_FromLongLong(-1 - int64_t(head.number))));
    Ref magnitude = Ref::check(PyLong_FromUnsignedLongLong(head.number));
    push(Ref::check(PyNumber_Invert(magnitude.get())));
}

// Halves and singles widen bit by bit, so that a NaN keeps its payload.
static double widened(uint64_t bits, int size) {
    uint64_t wide;
    if (size == 2) {
        uint64_t sign = bits >> 15 & 1, exponent = bits >> 10 & 31, fraction = bits & 0x3FF;
        if (exponent == 0) {
            double value = std::ldexp(double(fraction), -24);
            return sign ? -value : value;
        }
        wide = sign << 63 | (exponent == 31 ? uint64_t(0x7FF) : exponent - 15 + 1023) << 52 | fraction << 42;
    } else if (size == 4) {
        uint64_t exponent = bits >> 23 & 255, fraction = bits & 0x7FFFFF;
        if (exponent != 255) {
            uint32_t narrow = uint32_t(bits);
            float value;
            std::memcpy(&value, &narrow, 4);
            return double(value);
        }
        wide = (bits >> 31 & 1) << 63 | uint64_t(0x7FF) << 52 | fraction << 29;
    } else {
        wide = bits;
    }
    double value;
    std::memcpy(&value, &wide, 8);
    return value;
}

void CborReader::simple(const Head& head) {
    switch (head.info) {
        case 20: return push(Ref::share(Py_False));
        case 21: return push(Ref::share(Py_True));
        case 22: return push(Ref::share(Py_None));
        case 25: return push(Ref::check(PyFloat_FromDouble(widened(head.number, 2))));
        case 26: return push(Ref::check(PyFloat_FromDouble(widened(head.number, 4))));
        case 27: return push(Ref::check(PyFloat_FromDouble(widened(head.number, 8))));
        case 31: malformed("a break where an item was expected", head.start);
        default: break;
    }
    if (head.info == 24 && head.number < 32) malformed("a simple value below 32 in two bytes (RFC 8949 section 3.3)", head.start);
    Ref number = Ref::check(PyLong_FromUnsignedLongLong(head.number));
    push(Ref::check(new_pair(state.simple_type, number.get(), Py_None)));
}

static uint64_t big_endian(const unsigned char* at, unsigned bytes) {
    uint64_t word = __builtin_bswap64(text::load8(at));  // the caller saw to nine bytes
    return word >> (64 - 8 * bytes);
}

bool CborReader::leaf() {
    if (left() < 10) return false;  // so that a head needs no check
    unsigned char first = *p_;
    unsigned major = first >> 5, info = first & 31;
    if (info >= 28) return false;
    if (major <= 1) {
        uint64_t number = info;
        if (info >= 24) number = big_endian(p_ + 1, 1u << (info - 24));
        if (number > uint64_t(INT64_MAX)) return false;
        p_ += info < 24 ? 1 : 1 + (size_t(1) << (info - 24));
        int64_t value = major ? -1 - int64_t(number) : int64_t(number);
        values_.push_back(Ref::check(PyLong_FromLongLong(value)).release());
        return true;
    }
    if (major == 3) {
        uint64_t count = info < 24 ? info : big_endian(p_ + 1, 1u << (info - 24));
        size_t head = info < 24 ? 1 : 1 + (size_t(1) << (info - 24));
        if (count > left() - head || !is_ascii(p_ + head, size_t(count))) return false;
        PyObject* made = PyUnicode_New(Py_ssize_t(count), 127);
        if (made == nullptr) throw PythonError{};
        std::memcpy(PyUnicode_DATA(made), p_ + head, size_t(count));
        values_.push_back(made);
        p_ += head + count;
        return true;
    }
    if (major != 7) return major == 6 && quick_tag();
    PyObject* value;
    switch (first) {
        case 0xF4: value = Py_NewRef(Py_False); break;
        case 0xF5: value = Py_NewRef(Py_True); break;
        case 0xF6: value = Py_NewRef(Py_None); break;
        case 0xF9: value = PyFloat_FromDouble(widened(big_endian(p_ + 1, 2), 2)); break;
        case 0xFA: value = PyFloat_FromDouble(widened(big_endian(p_ + 1, 4), 4)); break;
        case 0xFB: value = PyFloat_FromDouble(widened(big_endian(p_ + 1, 8), 8)); break;
        default: return false;
    }
    if (value == nullptr) throw PythonError{};
    p_ += first <= 0xF6 ? 1 : first == 0xF9 ? 3 : first == 0xFA ? 5 : 9;
    values_.push_back(value);
    return true;
}

void CborReader::run_fields() {
    Frame& frame = frames_.back();
    const Field* fields = frame.shape->fields.data();
    while (int64_t(frame.expected) < frame.target) {
        const Spelled& key = fields[frame.expected].cbor;
        if (!key.stands(p_, left())) return;
        p_ += key.size();
        ++frame.expected;
        if (!leaf() && known_instance() != Quick::Pushed) return;
    }
}

// The caller saw to ten bytes.
bool CborReader::quick_tag() {
    if (options_.plain) return false;
    size_t start = at(), head = p_[0] == 0xD8 ? 2 : p_[0] == 0xD9 ? 3 : 1;
    uint64_t tag = head == 1 ? p_[0] & 31 : big_endian(p_ + 1, unsigned(head - 1));
    switch (p_[0] > 0xD9 ? UINT64_MAX : tag) {
        case 0:
        case 123:
        case 1004: {
            unsigned char first = p_[head];
            size_t count = first == 0x78 ? p_[head + 1] : (first & 0xE0) == 0x60 ? first & 31 : 255;
            head += first == 0x78 ? 2 : 1;
            if ((first != 0x78 && count > 23) || left() < head + count || !is_ascii(p_ + head, count)) return false;
            const char* text = reinterpret_cast<const char*>(p_ + head);
            push(tag == 1004 ? make_date(text, count, start) : make_datetime(text, count, start, tag == 0));
            p_ += head + count;
            return true;
        }
        case 4: {
            unsigned char exponent = p_[2], first = p_[3];
            unsigned info = first & 31, size = info < 24 ? 0 : 1u << (info - 24);
            if (p_[1] != 0x82 || (exponent & 0x1F) > 23 || exponent > 0x37 || first >= 0x40 || info > 27 || left() < 13) return false;
            uint64_t number = size == 0 ? info : big_endian(p_ + 4, size);
            if (number > uint64_t(INT64_MAX)) return false;
            push(small_decimal(first & 0x20 ? -1 - int64_t(number) : int64_t(number), exponent & 0x20 ? -1 - (exponent & 31) : exponent));
            p_ += 4 + size;
            return true;
        }
        case 37:
            if (left() < 19 || p_[2] != 0x50) return false;
            push(make_uuid(p_ + 3));
            p_ += 19;
            return true;
        default: return false;
    }
}

CborReader::Quick CborReader::recurring_instance() {
    if (left() < 8 || p_[1] != 0x01 || p_[2] != 0x1B || p_[3] != 0x82) return Quick::No;
    if (!frames_.empty() && (frames_.back().role == Role::Shared || frames_.back().role == Role::Tag)) return Quick::No;
    size_t from = p_[4] == 0x78 ? 6 : 5, count = p_[4] == 0x78 ? p_[5] : p_[4] & 31, slots = from + count;
    if ((p_[4] != 0x78 && ((p_[4] & 0xE0) != 0x60 || count > 23)) || left() < slots + 1) return Quick::No;
    NameUse* use = near_name(std::string_view(reinterpret_cast<const char*>(p_ + from), count));
    if (use == nullptr || !use->plan) return Quick::No;
    if (!use->spelled.empty() && take_member(use, p_, left(), count)) {
        p_ += count;
        return Quick::Pushed;
    }
    if (use->shape == nullptr || !quick_instances(use->the_plan())) return Quick::No;
    size_t fields = use->shape->fields.size();
    if (fields > 23 || p_[slots] != (0xA0 | fields)) return Quick::No;
    Frame& frame = open(Role::Fields, at());
    frame.use = use;
    frame.shape = use->shape;
    frame.target = int64_t(fields);
    check_depth(frame);
    p_ += slots + 1;
    return Quick::Opened;
}

// ---- containers ----

int32_t CborReader::waiting_id() const {
    for (size_t i = frames_.size(); i-- > 0;) {
        const Frame& frame = frames_[i];
        if (frame.role == Role::Shared) return frame.shared;
        if (frame.role != Role::Tag || (frame.tag != 121 && frame.tag != 258 && frame.tag != 259)) return -1;
    }
    return -1;
}

bool CborReader::array(const Head& head) {
    if (!head.open_end() && head.number > left()) malformed("an array has more items than bytes are left", head.start);
    int32_t shared = waiting_id();
    uint64_t tag = !frames_.empty() && frames_.back().role == Role::Tag ? frames_.back().tag : 0;
    bool frozen = tag == 258 && frames_.size() > 1 && frames_[frames_.size() - 2].role == Role::Tag &&
                  frames_[frames_.size() - 2].tag == 121;
    bool bare = !frames_.empty() && frames_.back().role == Role::Slots && frames_.back().last != Key::None &&
                (count(frames_.back()) & 1);
    Frame& frame = open(Role::List, head.start);
    frame.target = head.open_end() ? -1 : int64_t(head.number);
    frame.bare = bare;
    frame.spelling = tag == 4 || tag == 268 || tag == 30 || tag == 43000;
    if (bare || frame.spelling) no_level(frame);
    check_depth(frame);
    if (tag == 121) frame.content = Key::Tuple;
    if (tag == 258) frame.content = frozen ? Key::Frozenset : Key::Set;
    if (shared >= 0 && tag != 121) {
        Ref eager = Ref::check(tag != 258 ? PyList_New(0) : frozen ? PyFrozenSet_New(nullptr) : PySet_New(nullptr));
        define(shared, eager.get());
        frame.eager = eager.get();
    }
    return true;
}

bool CborReader::map(const Head& head) {
    if (!head.open_end() && head.number > left() / 2) malformed("a map has more entries than bytes are left", head.start);
    int32_t shared = waiting_id();
    Frame* parent = frames_.empty() ? nullptr : &frames_.back();
    bool bare = parent && parent->role == Role::Slots && parent->last != Key::None && (count(*parent) & 1);
    uint64_t parent_tag = parent && parent->role == Role::Tag ? parent->tag : 0;
    Frame& frame = open(Role::Dict, head.start);
    frame.target = head.open_end() ? -1 : int64_t(head.number) * 2;
    frame.bare = bare;
    frame.spelling = parent_tag == 1002;
    if (bare || frame.spelling) no_level(frame);
    check_depth(frame);
    if (shared >= 0) {
        Ref eager = Ref::check(PyDict_New());
        define(shared, eager.get());
        frame.eager = eager.get();
    }
    return true;
}

// A short text key comes from the cache; true when it did.
bool CborReader::key_item(Frame& frame) {
    if (frame.role == Role::Fields) {
        const Shape* shape = frame.shape;
        if (frame.expected < shape->fields.size()) {
            const Spelled& key = shape->fields[frame.expected].cbor;
            if (key.stands(p_, left())) {
                p_ += key.size();
                ++frame.expected;
                return true;
            }
        }
        fields_to_slots(frame);
        if (frame.target >= 0) frame.target *= 2;
    }
    if (left() > 66 && *p_ >= 0x60 && (*p_ < 0x78 || (*p_ == 0x78 && p_[1] <= 64))) {
        size_t head = *p_ == 0x78 ? 2 : 1, count = *p_ == 0x78 ? p_[1] : *p_ & 31;
        if (is_ascii(p_ + head, count)) {
            push(cached_key(p_ + head, count));
            p_ += head + count;
            if (frame.role == Role::Slots) slot_key(frame);
            return true;
        }
    }
    return false;
}

// A key of an instance was pushed: a reserved one is replaced by the interned text and noted.
void CborReader::slot_key(Frame& frame) {
    PyObject* key = values_.back();
    if (!is_text(key)) wrong("the keys of an instance are text", at());
    frame.last = Key::None;
    if (!starts_with_dollar(key) || (PyUnicode_GET_LENGTH(key) > 1 && PyUnicode_READ_CHAR(key, 1) == '$')) return;
    for (int i = 0; i < reserved_count; ++i) {
        if (PyUnicode_Compare(key, state.reserved[i]) != 0) continue;
        frame.last = Key(i);
        values_.back() = Py_NewRef(state.reserved[i]);
        Py_DECREF(key);
        return slot_shape(frame);
    }
    fail("value", "unknown reserved key " + json_spelling(key, false).substr(0, 100), "a newer version of mason may know it", at());
}

void CborReader::slot_shape(Frame& frame) {
    skip_described();
    unsigned major = p_ < end_ ? *p_ >> 5 : 8;
    std::string name = reserved_texts[int(frame.last)];
    switch (slot_shape_of(frame.last)) {
        case SlotShape::Array:
            if (major != 4) wrong(name + " holds an array", at());
            return;
        case SlotShape::Object:
            if (major != 5) wrong(name + " holds a map", at());
            return;
        case SlotShape::Any: return;
        case SlotShape::None: wrong("an instance has no slot " + name, at());
    }
}

// ---- tags ----

void CborReader::need_content(uint64_t tag, unsigned majors, const char* what) {
    skip_described();
    unsigned major = p_ < end_ ? *p_ >> 5 : 8;
    if (major == 8 || !(majors >> major & 1)) wrong("tag " + std::to_string(tag) + " holds " + what, at());
}

bool CborReader::tag(const Head& head) {
    enum : unsigned { Unsigned = 1, Negative = 2, Bytes = 4, Text = 8, Array = 16, Map = 32, Tagged = 64, Float = 128 };
    uint64_t tag = head.number;
    if (!options_.plain) {
        switch (tag) {
            case 28: {
                if (!frames_.empty() && frames_.back().role == Role::Shared) wrong("an item is marked as shared twice", head.start);
                Frame& frame = open(Role::Shared, head.start);
                frame.target = 1;
                open_shared(frame, next_id_++);
                return true;
            }
            case 29: return back_reference(head.start), false;
            case 283: return instance(head.start);
            case 39: need_content(tag, Text | Tagged, "text"); break;
            case 0:
            case 123:
            case 1004: need_content(tag, Text, "text"); break;
            case 1: need_content(tag, Unsigned | Negative | Float, "a number"); break;
            case 4:
            case 30:
            case 268:
            case 258:
            case 43000: need_content(tag, Array, "an array"); break;
            case 37:
            case 122:
            case 273: need_content(tag, Bytes, "a byte string"); break;
            case 259:
            case 1002: need_content(tag, Map, "a map"); break;
            case 121:
                skip_described();
                if (!(left() >= 3 && p_[0] == 0xD9 && p_[1] == 0x01 && p_[2] == 0x02)) need_content(tag, Array, "an array or a set");
                break;
            default: break;
        }
    }
    if (tag == 2 || tag == 3) need_content(tag, Bytes, "a byte string");
    Frame& frame = open(Role::Tag, head.start);
    frame.tag = tag;
    frame.target = 1;
    return true;
}

void CborReader::back_reference(size_t start) {
    skip_described();
    Head number = head();
    if (number.major != 0) wrong("tag 29 holds the number of a shared item", start);
    if (number.number >= uint64_t(next_id_)) wrong("a reference to a shared item that did not come yet", start);
    push(refer(int64_t(number.number)));
}

// Tag 283: [name, {slots}].
bool CborReader::instance(size_t start) {
    const char* shape = "tag 283 holds an array of a name and a map";
    skip_described();
    Head outer = head();
    if (outer.major != 4 || (!outer.open_end() && outer.number != 2)) wrong(shape, start);
    skip_described();
    Head named = head();
    bool wide = named.major == 6 && named.number == 273;  // a name with a lone surrogate
    if (wide) named = head();
    if (named.major != (wide ? 2u : 3u)) wrong(shape, start);
    std::string whole;
    std::string_view name;
    if (named.open_end()) {
        collect(named, whole);
        name = whole;
    } else {
        name = chunk(named);
    }
    if (!is_ascii(reinterpret_cast<const unsigned char*>(name.data()), name.size())) {
        PyObject* valid = PyUnicode_DecodeUTF8(name.data(), Py_ssize_t(name.size()), wide ? "surrogatepass" : nullptr);
        if (valid == nullptr) malformed("a text string is not valid UTF-8", named.start);
        Py_DECREF(valid);
    }
    skip_described();
    Head slots = head();
    if (slots.major != 5) wrong(shape, start);
    if (!slots.open_end() && slots.number > left() / 2) malformed("a map has more entries than bytes are left", slots.start);
    int32_t shared = waiting_id();
    NameUse* use = name_use(name);
    Plan* plan = use->native ? nullptr : instance_plan(use, start);
    Frame& frame = open(Role::Slots, start);
    frame.use = use;
    frame.shared = shared;
    if (!use->native) check_depth(frame);
    frame.headed = outer.open_end();
    frame.target = slots.open_end() ? -1 : int64_t(slots.number) * 2;
    if (plan && quick_instances(plan) && use->shape && slots.number == use->shape->fields.size() && !slots.open_end()) {
        frame.role = Role::Fields;
        frame.shape = use->shape;
        frame.target = int64_t(slots.number);
    }
    ensure_instance(frame);
    return true;
}

Ref CborReader::epoch(PyObject* number, size_t start) {
    moments::fetch();
    int64_t seconds, micro = 0;
    if (PyFloat_CheckExact(number)) {
        double value = PyFloat_AS_DOUBLE(number), whole = std::floor(value);
        if (!(value > -1e12 && value < 1e12)) wrong("a moment beyond the years 1 to 9999", start);
        seconds = int64_t(whole);
        micro = int64_t(std::nearbyint((value - whole) * 1e6));
        if (micro == 1000000) micro = 0, ++seconds;
    } else {
        int overflow = 0;
        seconds = PyLong_AsLongLongAndOverflow(number, &overflow);
        if (overflow) wrong("a moment beyond the years 1 to 9999", start);
    }
    if (seconds < -62135596800LL || seconds > 253402300799LL) wrong("a moment beyond the years 1 to 9999", start);
    int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) rest += 86400, --days;
    days += 719468;  // days since 0000-03-01 in the proleptic Gregorian calendar
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);
    PyObject* made = PyDateTimeAPI->DateTime_FromDateAndTime(int(year), int(month), int(day), int(rest / 3600),
        int(rest / 60 % 60), int(rest % 60), int(micro), PyDateTime_TimeZone_UTC, PyDateTimeAPI->DateTimeType);
    if (made == nullptr) wrap("not a date and time", start);
    return Ref::steal(made);
}

Ref CborReader::big_integer(PyObject* bytes, bool negative) {
    Ref magnitude = Ref::check(_PyLong_FromByteArray(reinterpret_cast<const unsigned char*>(PyBytes_AS_STRING(bytes)),
        size_t(PyBytes_GET_SIZE(bytes)), 0, 0));
    return negative ? Ref::check(PyNumber_Invert(magnitude.get())) : magnitude;
}

static bool int64_item(PyObject* item, int64_t& value) {
    if (!PyLong_CheckExact(item)) return false;
    int overflow = 0;
    value = PyLong_AsLongLongAndOverflow(item, &overflow);
    return overflow == 0;
}

// Tag 4 [exponent, mantissa]; tag 268 [exponent, mantissa, flags].
Ref CborReader::decimal(PyObject* list, bool extended, size_t start) {
    int64_t exponent = 0, flags = 0;
    Py_ssize_t count = PyList_GET_SIZE(list);
    if (count != (extended ? 3 : 2) || !int64_item(PyList_GET_ITEM(list, 0), exponent) || !PyLong_CheckExact(PyList_GET_ITEM(list, 1)) ||
        (extended && (!int64_item(PyList_GET_ITEM(list, 2), flags) || flags < 0 || flags > 7)))
        wrong("not a decimal number", start);
    PyObject* mantissa = PyList_GET_ITEM(list, 1);
    if (beyond_digits(mantissa)) fail("limit", "a decimal of more than 4300 digits", "", start);
    std::string number = decimal_digits(mantissa);
    if (extended && number[0] == '-') wrong("not a decimal number", start);
    std::string text = flags & 1 ? "-" : "";
    if (flags >= 2 && exponent != 0) wrong("not a decimal number", start);
    if (flags >= 4) {
        text += flags >= 6 ? "sNaN" : "NaN";
        if (number != "0") text += number;
    } else if (flags >= 2) {
        if (number != "0") wrong("not a decimal number", start);
        text += "Infinity";
    } else {
        text += number + "E" + std::to_string(exponent);
    }
    Ref made = Ref::check(PyUnicode_FromStringAndSize(text.data(), Py_ssize_t(text.size())));
    return make_decimal(made.get(), start);
}

// Tag 1002 {1: seconds, -6: microseconds}.
Ref CborReader::delta(PyObject* map, size_t start) {
    moments::fetch();
    int64_t seconds = 0, micro = 0;
    Ref one = Ref::check(PyLong_FromLong(1)), six = Ref::check(PyLong_FromLong(-6));
    PyObject* whole = PyDict_GetItemWithError(map, one.get());
    PyObject* part = PyDict_GetItemWithError(map, six.get());
    bool sound = whole && int64_item(whole, seconds) && PyDict_GET_SIZE(map) == (part ? 2 : 1);
    sound = sound && (!part || (int64_item(part, micro) && micro >= 0 && micro < 1000000));
    int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) rest += 86400, --days;
    if (!sound || days > 999999999 || days < -999999999) wrong("not a duration", start);
    return moments::new_delta(days, rest, micro);
}

Ref CborReader::wtf8(PyObject* bytes, size_t start) {
    PyObject* made = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), "surrogatepass");
    if (made == nullptr) wrong("tag 273 holds no text", start);
    return Ref::steal(made);
}

Ref CborReader::tagged(uint64_t tag, Ref value, size_t start) {
    PyObject* v = value.get();
    if (tag == 2 || tag == 3) return big_integer(v, tag == 3);
    if (options_.plain) {
        Ref number = Ref::check(PyLong_FromUnsignedLongLong(tag));
        return make_tag(number.get(), v, start);
    }
    auto item = [&](Py_ssize_t place) { return PyList_GET_ITEM(v, place); };
    auto ascii = [&]() {
        if (!PyUnicode_IS_ASCII(v)) wrong("tag " + std::to_string(tag) + " holds ASCII text", start);
        return std::string_view(static_cast<const char*>(PyUnicode_DATA(v)), size_t(PyUnicode_GET_LENGTH(v)));
    };
    switch (tag) {
        case 121:
        case 258:
        case 259: return value;
        case 0: return make_datetime(ascii().data(), ascii().size(), start, 1);
        case 123: return make_datetime(ascii().data(), ascii().size(), start, 0);
        case 1004: return make_date(ascii().data(), ascii().size(), start);
        case 1:
            if (!PyFloat_CheckExact(v) && !PyLong_CheckExact(v)) wrong("tag 1 holds a number", start);
            return epoch(v, start);
        case 4: return decimal(v, false, start);
        case 268: return decimal(v, true, start);
        case 30:
            if (PyList_GET_SIZE(v) != 2) wrong("tag 30 holds two ints", start);
            return make_fraction(item(0), item(1), start);
        case 37:
            if (PyBytes_GET_SIZE(v) != 16) wrong("a UUID has 16 bytes", start);
            return make_uuid(reinterpret_cast<const unsigned char*>(PyBytes_AS_STRING(v)));
        case 39: {
            if (!is_text(v)) wrong("tag 39 holds text", start);
            Ref bytes = Ref::check(PyUnicode_AsEncodedString(v, "utf-8", "surrogatepass"));
            return reference(name_use(std::string_view(PyBytes_AS_STRING(bytes.get()), size_t(PyBytes_GET_SIZE(bytes.get())))), start);
        }
        case 122: return Ref::check(PyByteArray_FromStringAndSize(PyBytes_AS_STRING(v), PyBytes_GET_SIZE(v)));
        case 273: return wtf8(v, start);
        case 1002: return delta(v, start);
        case 43000: {
            if (PyList_GET_SIZE(v) != 2) wrong("a complex number has two parts", start);
            double parts[2];
            for (Py_ssize_t i = 0; i < 2; ++i) {
                if (!PyFloat_CheckExact(item(i)) && !PyLong_CheckExact(item(i))) wrong("a complex number has two parts", start);
                parts[i] = PyFloat_AsDouble(item(i));
                if (parts[i] == -1.0 && PyErr_Occurred()) wrap("a complex number", start);
            }
            return Ref::check(PyComplex_FromDoubles(parts[0], parts[1]));
        }
        default: {
            Ref number = Ref::check(PyLong_FromUnsignedLongLong(tag));
            return make_tag(number.get(), v, start);
        }
    }
}

// ---- the loop ----

bool CborReader::item() {
    if (left() > 0 && (*p_ & 0xFC) == 0xD8) skip_described();
    Head first = head();
    switch (first.major) {
        case 0:
        case 1: return integer(first), false;
        case 2: return push(bytes(first)), false;
        case 3: return push(text(first)), false;
        case 4: return array(first);
        case 5: return map(first);
        case 6: return tag(first);
        default: return simple(first), false;
    }
}

static bool all_text_keys(PyObject** items, size_t count) {
    for (size_t i = 0; i < count; i += 2)
        if (!is_text(items[i])) return false;
    return true;
}

void CborReader::close_top() {
    Frame& frame = frames_.back();
    Ref made;
    switch (frame.role) {
        case Role::List:
            if (frame.content == Key::Tuple) {
                made = close_tuple(frame);
            } else if (frame.content == Key::Set || frame.content == Key::Frozenset) {
                PyObject* eager = std::exchange(frame.eager, nullptr);
                Ref list = close_list(frame);
                made = make_set(list.get(), frame.content == Key::Frozenset, eager, frame.start);
            } else {
                made = close_list(frame);
            }
            break;
        case Role::Dict:
            if (all_text_keys(content(frame), count(frame))) {
                made = close_dict(frame);
            } else {
                if (frame.bare) wrong("the keys of a slot's map are text", frame.start);
                made = close_map(frame, frame.eager);
            }
            break;
        case Role::Tag: made = tagged(frame.tag, pop(), frame.start); break;
        case Role::Shared: {
            made = pop();
            if (forward(made.get())) {
                if (target(made.get()) != uint32_t(frame.shared) || shared_[size_t(frame.shared)].task < 0)
                    wrong("a reference is marked as shared", frame.start);
            } else if (!shared_[size_t(frame.shared)].object) {
                define(frame.shared, made.get());
            }
            break;
        }
        case Role::Fields: made = close_fields(frame); break;
        default: made = close_slots(frame);
    }
    if (frame.use != nullptr && frame.shared < 0 && !frame.headed)
        remember_member(frame.use, {reinterpret_cast<const char*>(bytes_ + frame.start), at() - frame.start}, made.get());
    if (frame.headed) {
        if (p_ >= end_ || *p_ != 0xFF) wrong("tag 283 holds an array of a name and a map", frame.start);
        ++p_;
    }
    close();
    push(std::move(made));
}

Ref CborReader::read() {
    p_ = bytes_;
    for (;;) {
        if (!frames_.empty()) {  // where a key comes next, the fast ways of keys
            size_t opened = frames_.size();
            Frame& frame = frames_.back();
            if (frame.role == Role::Fields) {
                if (frame.expected == count(frame)) run_fields();
            } else if (frame.role == Role::List) {
                while (int64_t(count(frame)) < frame.target && (leaf() || known_instance() == Quick::Pushed)) {
                }
            } else if (frame.role == Role::Dict && frame.target >= 0) {
                while (int64_t(count(frame)) < frame.target) {
                    if ((count(frame) & 1) == 0) {
                        if (!key_item(frame)) break;
                    } else if (!leaf() && known_instance() != Quick::Pushed) {
                        break;
                    }
                }
            }
            if (frames_.size() != opened) continue;
            bool key = frame.role == Role::Fields ? frame.expected == count(frame)
                                                  : (frame.role == Role::Dict || frame.role == Role::Slots) && (count(frame) & 1) == 0;
            if (key && (frame.target < 0 || int64_t(count(frame)) < frame.target) && !(frame.target < 0 && p_ < end_ && *p_ == 0xFF)) {
                if (key_item(frame)) continue;
                bool slots = frame.role == Role::Slots;
                size_t depth = frames_.size();
                bool wide = slots && left() > 3 && p_[0] == 0xD9 && p_[1] == 0x01 && p_[2] == 0x11;
                if (wide) {  // a name with a lone surrogate (tag 273)
                    size_t start = at();
                    p_ += 3;
                    Head piece = head();
                    if (piece.major != 2) wrong("tag 273 holds a byte string", start);
                    push(wtf8(bytes(piece).get(), start));
                    slot_key(frames_.back());
                    continue;
                }
                if (slots) skip_described();
                if (slots && p_ < end_ && *p_ >> 5 != 3) wrong("the keys of an instance are text", at());
                bool opened = item();
                if (slots && !opened && frames_.size() == depth) {
                    slot_key(frames_.back());
                    continue;
                }
                if (!opened) continue;
            } else if (frame.target >= 0 ? int64_t(count(frame)) == frame.target : p_ < end_ && *p_ == 0xFF) {
                if (frame.target < 0) {
                    if (frame.role != Role::List && (count(frame) & 1)) malformed("a map ends after a key", at());
                    ++p_;
                }
                close_top();
                if (!frames_.empty()) continue;
            } else {
                if (known_instance() == Quick::No) item();
                if (!frames_.empty()) continue;
            }
        } else {
            item();
        }
        if (frames_.empty()) {
            if (p_ < end_) malformed("something follows the item", at());
            if (values_.size() != 1) raise(PyExc_SystemError, "the value stack is not balanced");
            finish();
            return result();
        }
    }
}

}  // namespace mason
