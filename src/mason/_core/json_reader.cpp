// Strategy: see json_reader.hpp.
#include "json_reader.hpp"

#include <array>

namespace mason {

// ---- strings ----

// Short keys recur: they are kept, with their hash, in a table that lives as long as the module.
struct KeyCache {
    static constexpr size_t places = 2048, longest = 64;
    PyObject* keys[places] = {};
};
static KeyCache key_cache;

static inline uint64_t mix(const unsigned char* at, size_t count) {
    uint64_t a, b;
    if (count >= 8) {
        a = text::load8(at);
        b = text::load8(at + count - 8);
    } else if (count >= 4) {
        a = text::load4(at);
        b = text::load4(at + count - 4);
    } else {
        a = count ? uint64_t(at[0]) | uint64_t(at[count / 2]) << 8 | uint64_t(at[count - 1]) << 16 : 0;
        b = 0;
    }
    uint64_t h = (a ^ (b * 0x9E3779B97F4A7C15ull) ^ count) * 0xD6E8FEB86659FD93ull;
    if (count > 16) h ^= text::load8(at + 8) * 0xA0761D6478BD642Full;
    return h ^ (h >> 32);
}

static Ref ascii_string(const unsigned char* at, size_t count) {
    Ref made = Ref::check(PyUnicode_New(Py_ssize_t(count), 127));
    std::memcpy(PyUnicode_DATA(made.get()), at, count);
    return made;
}

Ref cached_key(const unsigned char* at, size_t count) {
    if (count > KeyCache::longest) return ascii_string(at, count);
    PyObject*& place = key_cache.keys[mix(at, count) & (KeyCache::places - 1)];
    if (place != nullptr && size_t(PyUnicode_GET_LENGTH(place)) == count && std::memcmp(PyUnicode_DATA(place), at, count) == 0)
        return Ref::share(place);
    Ref made = ascii_string(at, count);
    PyObject* old = std::exchange(place, Py_NewRef(made.get()));
    Py_XDECREF(old);
    return made;
}

Ref JsonReader::string() {
    const unsigned char* start = p_;
    bool high = false;
    const unsigned char* stop = text::scan_string(start, end_, high);
    if (*stop != '"' || stop >= end_) return long_string(start, stop);
    p_ = stop + 1;
    size_t count = size_t(stop - start);
    if (!high) return ascii_string(start, count);
    PyObject* made = PyUnicode_DecodeUTF8(reinterpret_cast<const char*>(start), Py_ssize_t(count), nullptr);
    if (made == nullptr) {
        p_ = start;
        syntax("a string is not valid UTF-8");
    }
    return Ref::steal(made);
}

static int hex4(const unsigned char* at, const unsigned char* end) {
    if (end - at < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; ++i) {
        unsigned char c = at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

// A string with escapes: unescaped into UTF-8, where a lone surrogate keeps its three bytes (WTF-8).
Ref JsonReader::long_string(const unsigned char* start, const unsigned char* stop) {
    std::string out;
    bool high = false, lone = false;
    for (;;) {
        out.append(reinterpret_cast<const char*>(start), size_t(stop - start));
        p_ = stop;
        if (stop >= end_) syntax("a string is not closed");
        if (*stop == '"') break;
        if (*stop != '\\') syntax("a control character in a string must be escaped");
        unsigned char c = stop[1];
        p_ = stop + 2;
        switch (c) {
            case '"':
            case '\\':
            case '/': out += char(c); break;
            case 'b': out += '\b'; break;
            case 'f': out += '\f'; break;
            case 'n': out += '\n'; break;
            case 'r': out += '\r'; break;
            case 't': out += '\t'; break;
            case 'u': {
                int code = hex4(p_, end_);
                if (code < 0) syntax("\\u needs four hexadecimal digits");
                p_ += 4;
                Py_UCS4 point = Py_UCS4(code);
                if (code >= 0xD800 && code < 0xDC00 && p_[0] == '\\' && p_[1] == 'u') {
                    int low = hex4(p_ + 2, end_);
                    if (low >= 0xDC00 && low < 0xE000) {
                        point = 0x10000 + ((Py_UCS4(code) - 0xD800) << 10) + (Py_UCS4(low) - 0xDC00);
                        p_ += 6;
                    }
                }
                lone |= point >= 0xD800 && point < 0xE000;
                char four[4];
                out.append(four, size_t(text::utf8(four, point) - four));
                break;
            }
            default: p_ = stop; syntax("unknown escape in a string");
        }
        start = p_;
        stop = text::scan_string(start, end_, high);
    }
    ++p_;
    // Surrogates that stand in the source as bytes are no UTF-8: strict unless an escape made one.
    PyObject* made = PyUnicode_DecodeUTF8(out.data(), Py_ssize_t(out.size()), lone ? "surrogatepass" : nullptr);
    if (made == nullptr) syntax("a string is not valid UTF-8");
    return Ref::steal(made);
}

Ref JsonReader::key_string() {
    if (!take('"')) syntax(*p_ == '\'' ? "keys stand in double quotes" : "a key was expected");
    const unsigned char* start = p_;
    bool high = false;
    const unsigned char* stop = text::scan_string(start, end_, high);
    if (*stop == '"' && stop < end_ && !high) {
        p_ = stop + 1;
        return cached_key(start, size_t(stop - start));
    }
    return string();
}

// ---- numbers and words ----

static const double powers_of_ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

void JsonReader::number() {
    const unsigned char* start = p_;
    bool negative = take('-');
    if (*p_ == '0') {
        ++p_;
        if (*p_ >= '0' && *p_ <= '9') syntax("a number has no leading zeros");
    } else {
        if (*p_ < '1' || *p_ > '9') {
            if (options_.nonfinite && negative && end_ - p_ >= 8 && std::memcmp(p_, "Infinity", 8) == 0) {
                p_ += 8;
                return push(Ref::check(PyFloat_FromDouble(-HUGE_VAL)));
            }
            syntax("a value was expected");
        }
        while (*p_ >= '0' && *p_ <= '9') ++p_;
    }
    if (*p_ == '.' || *p_ == 'e' || *p_ == 'E') return float_number(start);
    size_t digits = size_t(p_ - start) - (negative ? 1 : 0);
    bool allowed = options_.limits.digits < 0 || digits <= size_t(options_.limits.digits);
    if (digits <= 18 && allowed) {
        int64_t value = 0;
        for (const unsigned char* c = p_ - digits; c < p_; ++c) value = value * 10 + (*c - '0');
        return push(Ref::check(PyLong_FromLongLong(negative ? -value : value)));
    }
    if (!allowed) {
        p_ = start;
        fail("limit", "an int of " + std::to_string(digits) + " digits",
            "turning that many digits into a number takes quadratic time; if you know the file, raise Limits(digits=...)", at());
    }
    push(integer_of_digits(reinterpret_cast<const char*>(start), size_t(p_ - start)));
}

void JsonReader::float_number(const unsigned char* start) {
    uint64_t mantissa = 0;
    int significant = 0, exponent = 0;
    const unsigned char* c = start + (*start == '-');
    for (; *c >= '0' && *c <= '9'; ++c) {
        if (significant || *c != '0') ++significant;
        if (significant <= 19) mantissa = mantissa * 10 + (*c - '0');
    }
    if (*c == '.') {
        const unsigned char* first = ++c;
        for (; *c >= '0' && *c <= '9'; ++c) {
            if (significant || *c != '0') ++significant;
            if (significant <= 19) mantissa = mantissa * 10 + (*c - '0'), --exponent;
        }
        if (c == first) {
            p_ = c;
            syntax("a digit must follow the point of a number");
        }
    }
    if (*c == 'e' || *c == 'E') {
        ++c;
        bool below = *c == '-';
        if (*c == '-' || *c == '+') ++c;
        const unsigned char* first = c;
        int power = 0;
        for (; *c >= '0' && *c <= '9'; ++c)
            if (power < 100000) power = power * 10 + (*c - '0');
        if (c == first) {
            p_ = c;
            syntax("a digit must follow the e of a number");
        }
        exponent += below ? -power : power;
    }
    p_ = c;
    bool negative = *start == '-';
    double value;
    if (significant <= 19 && mantissa <= (uint64_t(1) << 53) && exponent >= -22 && exponent <= 22) {
        value = double(mantissa);  // both exact, so one operation rounds correctly (Clinger)
        value = exponent < 0 ? value / powers_of_ten[-exponent] : value * powers_of_ten[exponent];
        if (negative) value = -value;
    } else {
        const char* from = reinterpret_cast<const char*>(start);
        auto [stop, status] = std::from_chars(from, reinterpret_cast<const char*>(c), value);
        if (status != std::errc() || stop != reinterpret_cast<const char*>(c)) {
            std::string copy(from, reinterpret_cast<const char*>(c));
            value = PyOS_string_to_double(copy.c_str(), nullptr, nullptr);
            if (value == -1.0 && PyErr_Occurred()) throw PythonError{};
        }
    }
    if (!std::isfinite(value) && !options_.nonfinite) {
        p_ = start;
        fail("value", "a number beyond the range of float",
            "as a float it would become infinite; a document of mason says {\"$float\":\"Infinity\"}", at());
    }
    push(Ref::check(PyFloat_FromDouble(value)));
}

void JsonReader::word() {
    auto matches = [&](const char* text, size_t count) {
        if (size_t(end_ - p_) < count || std::memcmp(p_, text, count) != 0) return false;
        p_ += count;
        return true;
    };
    if (matches("true", 4)) return push(Ref::share(Py_True));
    if (matches("false", 5)) return push(Ref::share(Py_False));
    if (matches("null", 4)) return push(Ref::share(Py_None));
    if (options_.nonfinite && matches("NaN", 3)) return push(Ref::check(PyFloat_FromDouble(Py_NAN)));
    if (options_.nonfinite && matches("Infinity", 8)) return push(Ref::check(PyFloat_FromDouble(HUGE_VAL)));
    if (p_ >= end_) syntax("the text ends where a value was expected");
    bool odd = *p_ == 'N' || *p_ == 'I';
    fail("syntax", "a value was expected", odd ? "NaN and Infinity are no JSON; a document of mason says {\"$float\":\"NaN\"}" : "", at());
}

int64_t JsonReader::plain_integer(const char* what) {
    space();
    const unsigned char* start = p_;
    int64_t value = 0;
    if (*p_ == '0' && p_[1] >= '0' && p_[1] <= '9') fail("value", what, "", at());
    while (*p_ >= '0' && *p_ <= '9' && p_ - start < 17) value = value * 10 + (*p_++ - '0');
    if (p_ == start || (*p_ >= '0' && *p_ <= '9') || *p_ == '.' || *p_ == 'e' || *p_ == 'E') {
        p_ = start;
        fail("value", what, "", at());
    }
    return value;
}

// ---- objects ----

// At the brace of an object whose first key begins with a dollar sign, as mason spells it: no key is made.
JsonReader::Quick JsonReader::quick_object() {
    if (options_.plain || size_t(end_ - p_) < 16 || p_[1] != '"' || p_[2] != '$') return Quick::No;
    if (std::memcmp(p_ + 3, "type\":\"", 7) == 0) return known_instance();
    return quick_form() ? Quick::Pushed : Quick::No;
}

JsonReader::Quick JsonReader::known_instance() {
    const unsigned char* name = p_ + 10;
    const unsigned char* stop = static_cast<const unsigned char*>(std::memchr(name, '"', std::min(size_t(end_ - name), size_t(250))));
    if (stop == nullptr) return Quick::No;
    NameUse* use = near_name(std::string_view(reinterpret_cast<const char*>(name), size_t(stop - name)));
    if (use == nullptr || !use->plan) return Quick::No;
    size_t size;
    if (!use->spelled.empty() && take_member(use, p_, size_t(end_ - p_), size)) {
        p_ += size;
        return Quick::Pushed;
    }
    if (use->shape == nullptr || use->shape->fields.empty() || !quick_instances(use->the_plan())) return Quick::No;
    const Spelled& first = use->shape->fields[0].json;
    if (!first.stands(stop + 1, size_t(end_ - stop - 1))) return Quick::No;
    Frame& frame = open(Role::Fields, at());
    frame.use = use;
    frame.shape = use->shape;
    frame.expected = 1;
    check_depth(frame);
    p_ = stop + 1 + first.size();
    return Quick::Opened;
}

// {"$datetime":"..."} and its like. What is not spelled so, or is none, is left to the form itself.
bool JsonReader::quick_form() {
    static const struct {
        const char* text;
        unsigned size;
        Key key;
    } forms[] = {{"datetime\":\"", 11, Key::Datetime}, {"decimal\":\"", 10, Key::Decimal}, {"date\":\"", 7, Key::Date}};
    if (p_[3] != 'd') return false;
    for (const auto& form : forms) {
        if (std::memcmp(p_ + 3, form.text, form.size) != 0) continue;
        const unsigned char* from = p_ + 3 + form.size;
        const unsigned char* stop = static_cast<const unsigned char*>(std::memchr(from, '"', std::min(size_t(end_ - from), size_t(60))));
        if (stop == nullptr || stop[1] != '}') return false;
        size_t count = size_t(stop - from), start = at();
        for (const unsigned char* c = from; c < stop; ++c)
            if (*c >= 0x80 || *c == '\\' || *c < ' ') return false;
        const char* text = reinterpret_cast<const char*>(from);
        check_limits(start);
        Ref made;
        if (form.key == Key::Datetime)
            made = make_datetime(text, count, start);
        else if (form.key == Key::Date)
            made = make_date(text, count, start);
        else
            made = make_decimal(ascii_string(from, count).get(), start);
        push(std::move(made));
        p_ = stop + 2;
        return true;
    }
    return false;
}

JsonReader::Next JsonReader::open_object() {
    // What stands in a form or a slot has rules of its own.
    if (typed_ && !frames_.empty() && frames_.back().last == Key::None) {
        Quick found = quick_object();
        if (found != Quick::No) return found == Quick::Opened ? Next::Value : Next::Done;
    }
    size_t start = at();
    ++p_;
    Frame* parent = frames_.empty() ? nullptr : &frames_.back();
    bool bare = parent && parent->role == Role::Slots &&
                (parent->last == Key::Dict || parent->last == Key::Newkw || parent->last == Key::Extra);
    Frame& frame = open(Role::Dict, start);
    frame.bare = bare;
    if (bare) no_level(frame);
    frame.root = frames_.size() == 1;
    return next_key(true);
}

// Compares the next key with the next field of the shape, byte by byte; makes no string when they agree.
bool JsonReader::field_key(Frame& frame) {
    const Shape* shape = frame.shape;
    if (frame.expected >= shape->fields.size()) return false;
    const Spelled& spelled = shape->fields[frame.expected].json;  // ,"name":
    size_t count = spelled.size() - 2;
    if (size_t(end_ - p_) <= count || std::memcmp(p_, spelled.data() + 1, count) != 0) return false;
    p_ += count;
    if (*p_ != ':') {
        space();
        if (*p_ != ':') syntax("a colon must follow a key");
    }
    ++p_;
    ++frame.expected;
    return true;
}

// At a key, or at the end of an object with none; reads reserved keys that only describe the object on the way.
JsonReader::Next JsonReader::next_key(bool first) {
    for (;;) {
        space();
        Frame& frame = frames_.back();
        if (first && take('}')) return close_object();
        if (frame.role == Role::Fields) {
            if (field_key(frame)) return Next::Value;
            fields_to_slots(frame);
        }
        const unsigned char* key_start = p_;
        Ref key = key_string();
        expect(':', "a colon must follow a key");
        bool dollar = starts_with_dollar(key.get());
        frame.last = Key::None;
        if (!typed_) {
            if (dollar && !options_.plain && !options_.last_wins &&
                PyUnicode_Compare(key.get(), state.reserved[int(Key::Mason)]) == 0) {
                if (frame.root) {
                    typed_ = true;
                    if (count(frame) == 0) return reserved_key(frame, Key::Mason, first);
                    restart_ = true;
                    return Next::Done;
                }
                frame.pasted = true;
            }
            if (count(frame) == 0) check_depth(frame);
            push(std::move(key));
            return Next::Value;
        }
        if (frame.bare && frame.role == Role::Dict && dollar && PyUnicode_GET_LENGTH(key.get()) > 1 &&
            PyUnicode_READ_CHAR(key.get(), 1) != '$')
            fail("value", "a slot's object cannot be a form", "", frame.start);
        if (!dollar || (PyUnicode_GET_LENGTH(key.get()) > 1 && PyUnicode_READ_CHAR(key.get(), 1) == '$')) {
            if (frame.role == Role::Dict) {
                if (frame.shared >= 0 && frame.eager == nullptr && count(frame) == 0 && !late_types_) {
                    Ref dict = Ref::check(PyDict_New());
                    define(frame.shared, dict.get());
                    frame.eager = dict.get();
                }
                if (count(frame) == 0) check_depth(frame);
                if (dollar) key = Ref::check(PyUnicode_Substring(key.get(), 1, PyUnicode_GET_LENGTH(key.get())));
            }
            push(std::move(key));
            return Next::Value;
        }
        Key code = reserved_code(key.get());
        if (code == Key::None) {
            p_ = key_start;
            fail("value", "unknown reserved key " + json_spelling(key.get(), false).substr(0, 100),
                "a key of user data that starts with $ is written with two; a newer version of mason may know it", at());
        }
        Next next = reserved_key(frame, code, first);
        if (next == Next::Value || restart_) return next;
        // A key that only described the object: what follows is a comma and a key, or the end.
        if (frames_.empty() || &frame != &frames_.back()) return Next::Done;
        space();
        if (take('}')) return close_object();
        if (!take(',')) syntax("a comma or } was expected");
        first = false;
    }
}

// After a reserved key and its colon. Value: its value comes next on the stack. Done: it was read here.
JsonReader::Next JsonReader::reserved_key(Frame& frame, Key code, bool first) {
    switch (code) {
        case Key::Mason: {
            if (!frame.root || frame.headed) fail("value", "$mason stands once, in the root object", "", at());
            space();
            const unsigned char* value = p_;
            if (!(*p_ == '1' && (p_[1] == ',' || p_[1] == '}' || p_[1] == ' ' || p_[1] == '\n' || p_[1] == '\r' || p_[1] == '\t'))) {
                p_ = value;
                fail("format", "this document's $mason is not 1, the version that this mason reads",
                    "a newer mason may have written it; plain=True reads it as plain data", at());
            }
            ++p_;
            frame.headed = true;
            if (!first || count(frame) != 0) return Next::Done;
            space();  // the common case goes on in the caller's loop
            if (take('}')) return close_object();
            if (!take(',')) syntax("a comma or } was expected");
            return next_key(false);
        }
        case Key::Id: {
            if (frame.shared >= 0) fail("value", "$id stands once in an object", "", at());
            if (count(frame) != 0 && content(frame)[0] == state.reserved[int(Key::Value)])
                fail("value", "$value stands in the root object, beside $mason alone", "", at());
            int64_t id = plain_integer("$id is a positive int");
            if (id < 1 || id > (int64_t(1) << 53) - 1) fail("value", "$id is a positive int", "", at());
            open_shared(frame, id);
            ensure_instance(frame);
            return Next::Done;
        }
        case Key::Type: {
            if (frame.use) fail("value", "$type stands once in an object", "", at());
            space();
            if (!take('"')) fail("value", "$type is a string", "", at());
            use_type(frame);
            return Next::Done;
        }
        case Key::Ref: {
            if (count(frame) != 0 || frame.shared >= 0 || frame.use || frame.root)
                fail("value", "$ref stands alone in an object", "", frame.start);
            int64_t id = plain_integer("$ref is a positive int");
            space();
            if (!take('}')) fail("value", "$ref stands alone in an object", "", frame.start);
            close();
            if (id < 1) fail("value", "$ref is a positive int", "", at());
            push(refer(id));
            return Next::Done;
        }
        case Key::Value:
            if (!frame.root || count(frame) != 0 || frame.shared >= 0 || frame.use)
                fail("value", "$value stands in the root object, beside $mason alone", "", at());
            break;
        default: break;
    }
    if (frame.role == Role::Dict) {  // a form, or an instance whose $type is still to come
        escape_keys(frame);
        frame.role = Role::Form;
        no_level(frame);
    }
    frame.last = code;
    push(Ref::share(state.reserved[int(code)]));
    if (frame.role == Role::Slots) slot_shape(frame);
    return Next::Value;
}

// The value that follows a slot's key must look as the slot says.
void JsonReader::slot_shape(Frame& frame) {
    space();
    std::string name = reserved_texts[int(frame.last)];
    switch (slot_shape_of(frame.last)) {
        case SlotShape::Array:
            if (*p_ != '[') fail("value", name + " holds an array", "", at());
            return;
        case SlotShape::Object:
            if (*p_ != '{') fail("value", name + " holds an object", "", at());
            return;
        case SlotShape::Any: return;
        case SlotShape::None: fail("value", "an instance has no slot " + name, "", at());
    }
}

// At the text of $type. When it comes first and the class has fields, the fast form begins.
void JsonReader::use_type(Frame& frame) {
    const unsigned char* start = p_;
    bool high = false;
    const unsigned char* stop = text::scan_string(start, end_, high);
    NameUse* use;
    if (*stop == '"' && stop < end_ && !high) {
        p_ = stop + 1;
        use = name_use(std::string_view(reinterpret_cast<const char*>(start), size_t(stop - start)));
    } else {
        Ref name = string();
        Ref bytes = Ref::check(PyUnicode_AsEncodedString(name.get(), "utf-8", "surrogatepass"));
        use = name_use(std::string_view(PyBytes_AS_STRING(bytes.get()), size_t(PyBytes_GET_SIZE(bytes.get()))));
    }
    if (frame.role == Role::Form) ++frame.level;
    if (!use->native) check_depth(frame);
    Plan* plan = use->native ? nullptr : instance_plan(use, frame.start);
    frame.use = use;
    if (count(frame) == 0 && plan && quick_instances(plan) && use->shape) {
        frame.role = Role::Fields;
        frame.shape = use->shape;
        frame.expected = 0;
    } else {
        bare_contents_to_slots(frame);
        if (restart_) return;
        frame.role = Role::Slots;
    }
    ensure_instance(frame);
}

// A $type that comes late: what was read as the content of a form is a slot's bare content after all.
void JsonReader::bare_contents_to_slots(Frame& frame) {
    if (frame.eager != nullptr && count(frame) != 0) {  // made as a list or dict, and perhaps handed out
        late_types_ = restart_ = true;
        return;
    }
    if (frame.role == Role::Dict) return escape_keys(frame);
    late_slots(frame);
    PyObject** items = content(frame);
    for (size_t i = 0; i + 1 < count(frame); i += 2) {
        PyObject* value = items[i + 1];
        Key code = reserved_code(items[i]);
        if (PyTuple_CheckExact(value) && code == Key::Tuple) {
            Ref list = Ref::check(PySequence_List(value));
            for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(value); ++k)
                if (forward(PyTuple_GET_ITEM(value, k))) fix(list.get(), nullptr, k, PyTuple_GET_ITEM(value, k), Slot::ListItem);
            items[i + 1] = list.release();
            Py_DECREF(value);
        } else if (code == Key::Map && PyList_CheckExact(value)) {
            Ref list = Ref::check(PyList_New(0));
            for (Py_ssize_t k = 0; k + 1 < PyList_GET_SIZE(value); k += 2) {
                Ref pair = Ref::check(Py_BuildValue("[OO]", PyList_GET_ITEM(value, k), PyList_GET_ITEM(value, k + 1)));
                for (Py_ssize_t side = 0; side < 2; ++side)
                    if (forward(PyList_GET_ITEM(value, k + side)))
                        fix(pair.get(), nullptr, side, PyList_GET_ITEM(value, k + side), Slot::ListItem);
                check(PyList_Append(list.get(), pair.get()));
            }
            items[i + 1] = list.release();
            Py_DECREF(value);
        }
    }
}

// The reserved keys that came before $type must be slots of an instance, and look as such.
void JsonReader::late_slots(Frame& frame) {
    for (size_t i = 0; i < count(frame); i += 2) {
        Key code = reserved_code(content(frame)[i]);
        if (code == Key::None) continue;
        SlotShape shape = slot_shape_of(code);
        bool bare = frame.made >> int(code) & 1;
        if (shape == SlotShape::None)
            fail("value", std::string("an instance has no slot ") + reserved_texts[int(code)], "", frame.start);
        if (shape == SlotShape::Array && !(bare && (PyList_CheckExact(content(frame)[i + 1]) || PyTuple_CheckExact(content(frame)[i + 1]))))
            fail("value", std::string(reserved_texts[int(code)]) + " holds an array", "", frame.start);
        if (shape == SlotShape::Object && !(bare && PyDict_CheckExact(content(frame)[i + 1])))
            fail("value", std::string(reserved_texts[int(code)]) + " holds an object", "", frame.start);
    }
}

// The keys of a dictionary that turns out to be an instance: what was unescaped is escaped again.
void JsonReader::escape_keys(Frame& frame) {
    PyObject** items = content(frame);
    for (size_t i = 0; i < count(frame); i += 2) {
        if (!starts_with_dollar(items[i])) continue;
        Ref escaped = Ref::check(PyUnicode_FromFormat("$%U", items[i]));
        PyObject* old = std::exchange(items[i], escaped.release());
        Py_DECREF(old);
    }
}

JsonReader::Next JsonReader::close_object() {
    Frame& frame = frames_.back();
    Ref made;
    switch (frame.role) {
        case Role::Dict:
            if (frame.pasted) {
                for (size_t i = 0; i < count(frame); i += 2)
                    if (PyUnicode_Compare(content(frame)[i], state.reserved[int(Key::Type)]) == 0)
                        fail("value", "an object inside this plain document has $mason and $type",
                            "a document of mason was pasted into another; plain=True reads it as plain data", frame.start);
            }
            made = close_dict(frame);
            break;
        case Role::Form: made = form(frame); break;
        case Role::Fields:
            if (frame.expected == frame.shape->fields.size()) {
                made = close_fields(frame);
                break;
            }
            fields_to_slots(frame);
            made = close_slots(frame);
            break;
        default: {
            // In a slot, an array or object must have been one: a form in its place has an identity or a type.
            made = close_slots(frame);
        }
    }
    int32_t shared = frame.shared;
    if (shared >= 0 && !shared_[size_t(shared)].object && shared_[size_t(shared)].task < 0) define(shared, made.get());
    bool bare = frame.role == Role::Dict && shared < 0;
    if (frame.use != nullptr && shared < 0)
        remember_member(frame.use, {reinterpret_cast<const char*>(text_ + frame.start), at() - frame.start}, made.get());
    close();
    if (!frames_.empty() && frames_.back().last != Key::None && slot_shape_of(frames_.back().last) == SlotShape::Object) {
        Frame& parent = frames_.back();
        if (bare) parent.made |= uint64_t(1) << int(parent.last);
    }
    push(std::move(made));
    return Next::Done;
}

// ---- arrays ----

JsonReader::Next JsonReader::open_array() {
    size_t start = at();
    ++p_;
    Frame* parent = frames_.empty() ? nullptr : &frames_.back();
    Key key = parent && (parent->role == Role::Form || parent->role == Role::Slots) ? parent->last : Key::None;
    bool in_form = parent && parent->role == Role::Form;
    int32_t shared = in_form ? parent->shared : -1;
    size_t parent_at = frames_.size() - 1;
    Role role = key == Key::Map ? Role::Map : Role::List;
    open(role, start);
    Frame& frame = frames_.back();
    frame.content = key;
    frame.bare = key != Key::None && !in_form;
    frame.spelling = in_form && (key == Key::Complex || key == Key::Tag);
    if (frame.bare || frame.spelling) no_level(frame);
    check_depth(frame);
    if (shared >= 0 && !late_types_ && frames_[parent_at].base == frame.base - 1) {  // first in its object
        Ref eager;
        if (key == Key::List) eager = Ref::check(PyList_New(0));
        if (key == Key::Set) eager = Ref::check(PySet_New(nullptr));
        if (key == Key::Frozenset) eager = Ref::check(PyFrozenSet_New(nullptr));
        if (key == Key::Map) eager = Ref::check(PyDict_New());
        if (eager) {
            define(shared, eager.get());
            frames_[parent_at].eager = eager.get();
            if (key == Key::List) frame.eager = eager.get();
        }
    }
    space();
    if (take(']')) return close_array();
    if (role == Role::Map) return map_entry();
    return Next::Value;
}

JsonReader::Next JsonReader::map_entry() {
    space();
    size_t start = at();
    if (!take('[')) fail("value", "$map holds arrays of a key and a value", "", start);
    open(Role::Pair, start);
    return Next::Value;
}

JsonReader::Next JsonReader::close_array() {
    Frame& frame = frames_.back();
    Key key = frame.content;
    Ref made;
    if (frame.role == Role::Map) {
        made = frame.bare ? close_pairs(frame) : close_list(frame);
    } else if (key == Key::Tuple && !frame.bare) {
        made = close_tuple(frame);
    } else {
        made = close_list(frame);
    }
    close();
    if (!frames_.empty()) {
        Frame& parent = frames_.back();
        if (key != Key::None) parent.made |= uint64_t(1) << int(key);
    }
    push(std::move(made));
    return Next::Done;
}

// ---- value forms ----

Ref JsonReader::form(Frame& frame) {
    if (count(frame) != 2) fail("value", "an object is two forms at once, or has keys beside a reserved one", "", frame.start);
    Key code = reserved_code(content(frame)[0]);
    Ref value = pop();
    Ref key = pop();
    if (code == Key::None) fail("value", "an object has both a reserved key and keys of its own", "", frame.start);
    bool arrays = code == Key::Tuple || code == Key::Set || code == Key::Frozenset || code == Key::Map || code == Key::List ||
                  code == Key::Complex || code == Key::Tag;
    if (arrays && !(frame.made >> int(code) & 1)) fail("value", std::string(reserved_texts[int(code)]) + " holds an array", "", frame.start);
    if (forward(value.get()) && code != Key::Value) fail("value", "a form cannot hold a reference", "", frame.start);
    return one_form(code, value.get(), frame);
}

Ref JsonReader::one_form(Key code, PyObject* value, Frame& frame) {
    size_t start = frame.start;
    auto text = [&]() {
        if (!is_text(value)) fail("value", std::string(reserved_texts[int(code)]) + " holds a string", "", start);
        if (!PyUnicode_IS_ASCII(value)) fail("value", std::string(reserved_texts[int(code)]) + " holds ASCII text", "", start);
        return std::string_view(static_cast<const char*>(PyUnicode_DATA(value)), size_t(PyUnicode_GET_LENGTH(value)));
    };
    switch (code) {
        case Key::Value:
        case Key::List:
        case Key::Tuple: return Ref::share(value);
        case Key::Set: return make_set(value, false, frame.eager, start);
        case Key::Frozenset: return make_set(value, true, frame.eager, start);
        case Key::Map: return make_map(value, frame.eager, start);
        case Key::Bytes: return base64(value, false, start);
        case Key::Bytearray: return base64(value, true, start);
        case Key::Float: {
            std::string_view t = text();
            if (t == "NaN") return Ref::check(PyFloat_FromDouble(Py_NAN));
            if (t == "Infinity") return Ref::check(PyFloat_FromDouble(HUGE_VAL));
            if (t == "-Infinity") return Ref::check(PyFloat_FromDouble(-HUGE_VAL));
            uint64_t bits = 0;
            bool sound = t.size() == 21 && t.substr(0, 4) == "NaN(" && t[20] == ')';
            for (size_t i = 4; sound && i < 20; ++i) {
                int digit = t[i] >= '0' && t[i] <= '9' ? t[i] - '0' : t[i] >= 'a' && t[i] <= 'f' ? t[i] - 'a' + 10 : -1;
                sound = digit >= 0;
                bits = bits << 4 | uint64_t(digit & 15);
            }
            double number;
            std::memcpy(&number, &bits, 8);
            if (!sound || number == number) fail("value", "$float is NaN, Infinity or -Infinity", "", start);
            return Ref::check(PyFloat_FromDouble(number));
        }
        case Key::Int: {
            std::string_view t = text();
            bool negative = !t.empty() && t[0] == '-';
            std::string_view rest = t.substr(negative);
            bool hex = rest.substr(0, 2) == "0x";
            std::string_view digits = hex ? rest.substr(2) : rest;
            if (!hex && digits.size() > 4300) fail("limit", "$int of more than 4300 decimal digits", "write it as hexadecimal", start);
            bool sound = !digits.empty();
            for (char c : digits) sound = sound && ((c >= '0' && c <= '9') || (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))));
            if (!sound) fail("value", "$int is hexadecimal digits after 0x, or up to 4300 decimal digits", "", start);
            std::string copy = (negative ? "-" : "") + std::string(digits);
            if (!hex) return integer_of_digits(copy.data(), copy.size());
            PyObject* made = PyLong_FromString(copy.c_str(), nullptr, 16);
            if (made == nullptr) wrap("$int", start);
            return Ref::steal(made);
        }
        case Key::Complex: {
            if (!PyList_CheckExact(value) || PyList_GET_SIZE(value) != 2) fail("value", "$complex holds two numbers", "", start);
            double parts[2];
            for (int i = 0; i < 2; ++i) {
                PyObject* part = PyList_GET_ITEM(value, i);
                if (!PyFloat_CheckExact(part) && !PyLong_CheckExact(part)) fail("value", "$complex holds two numbers", "", start);
                parts[i] = PyFloat_AsDouble(part);
                if (parts[i] == -1.0 && PyErr_Occurred()) wrap("$complex", start);
            }
            return Ref::check(PyComplex_FromDoubles(parts[0], parts[1]));
        }
        case Key::Decimal: return make_decimal(value, start);
        case Key::Fraction: {
            std::string_view t = text();
            size_t bar = t.find('/');
            if (bar == std::string_view::npos) fail("value", "$fraction is two ints with / between them", "", start);
            Ref parts[2];
            for (int i = 0; i < 2; ++i) {
                std::string digits(i == 0 ? t.substr(0, bar) : t.substr(bar + 1));
                size_t sign = i == 0 && !digits.empty() && digits[0] == '-';
                if (digits.size() - sign > 4300) fail("limit", "a fraction of more than 4300 digits", "", start);
                bool sound = digits.size() > sign;
                for (size_t k = sign; sound && k < digits.size(); ++k) sound = digits[k] >= '0' && digits[k] <= '9';
                if (!sound) fail("value", "$fraction is two ints with / between them", "", start);
                parts[i] = integer_of_digits(digits.data(), digits.size());
            }
            return make_fraction(parts[0].get(), parts[1].get(), start);
        }
        case Key::Datetime: {
            std::string_view t = text();
            return make_datetime(t.data(), t.size(), start);
        }
        case Key::Date: {
            std::string_view t = text();
            return make_date(t.data(), t.size(), start);
        }
        case Key::Time: {
            std::string_view t = text();
            return make_time(t.data(), t.size(), start);
        }
        case Key::Timedelta: {
            moments::fetch();
            std::string_view t = text();
            Ref made;
            if (!moments::read_delta(t.data(), t.data() + t.size(), made)) fail("value", "not a duration", "durations look like P1DT3723.5S", start);
            return made;
        }
        case Key::Uuid: {
            std::string_view t = text();
            unsigned char sixteen[16];
            bool sound = t.size() == 36;
            int nibble = 0;
            for (size_t i = 0; sound && i < 36; ++i) {
                if (i == 8 || i == 13 || i == 18 || i == 23) {
                    sound = t[i] == '-';
                    continue;
                }
                char c = t[i];
                int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
                if (!(sound = digit >= 0)) break;
                if (nibble & 1)
                    sixteen[nibble / 2] = (unsigned char)(sixteen[nibble / 2] | digit);
                else
                    sixteen[nibble / 2] = (unsigned char)(digit << 4);
                ++nibble;
            }
            if (!sound) fail("value", "not a UUID", "", start);
            return make_uuid(sixteen);
        }
        case Key::Global: {
            if (!is_text(value)) fail("value", "$global holds a string", "", start);
            Ref bytes = Ref::check(PyUnicode_AsEncodedString(value, "utf-8", "surrogatepass"));
            return reference(name_use(std::string_view(PyBytes_AS_STRING(bytes.get()), size_t(PyBytes_GET_SIZE(bytes.get())))), start);
        }
        case Key::Tag:
            if (!PyList_CheckExact(value) || PyList_GET_SIZE(value) != 2)
                fail("value", "$tag holds a number and a value", "", start);
            return make_tag(PyList_GET_ITEM(value, 0), PyList_GET_ITEM(value, 1), start);
        case Key::Simple: {
            long number = PyLong_CheckExact(value) ? PyLong_AsLong(value) : -1;
            if (PyErr_Occurred()) PyErr_Clear();
            if (number < 0 || number > 255 || (number > 19 && number < 23) || (number > 23 && number < 32))
                fail("value", "$simple is an unassigned simple value", "", start);
            return Ref::check(new_pair(state.simple_type, value, Py_None));
        }
        default: fail("value", std::string(reserved_texts[int(code)]) + " belongs to an instance; there is no $type", "", start);
    }
}

Ref JsonReader::base64(PyObject* text, bool mutable_twin, size_t at) {
    auto wrong = [&]() { fail("value", "not base64", "RFC 4648 section 4: padded, no blanks", at); };
    if (!is_text(text) || !PyUnicode_IS_ASCII(text)) wrong();
    const unsigned char* from = static_cast<unsigned char*>(PyUnicode_DATA(text));
    size_t count = size_t(PyUnicode_GET_LENGTH(text));
    if (count % 4) wrong();
    size_t padding = count == 0 ? 0 : (from[count - 1] == '=') + (from[count - 1] == '=' && from[count - 2] == '=');
    static const auto table = [] {
        std::array<signed char, 256> t;
        t.fill(-1);
        const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (int i = 0; i < 64; ++i) t[(unsigned char)letters[i]] = (signed char)i;
        return t;
    }();
    Py_ssize_t total = Py_ssize_t(count / 4 * 3 - padding);
    Ref made = Ref::check(mutable_twin ? PyByteArray_FromStringAndSize(nullptr, total) : PyBytes_FromStringAndSize(nullptr, total));
    char* to = mutable_twin ? PyByteArray_AS_STRING(made.get()) : PyBytes_AS_STRING(made.get());
    size_t whole = padding ? count - 4 : count;
    for (size_t i = 0; i < whole; i += 4) {
        int a = table[from[i]], b = table[from[i + 1]], c = table[from[i + 2]], d = table[from[i + 3]];
        if ((a | b | c | d) < 0) wrong();
        unsigned bits = unsigned(a << 18 | b << 12 | c << 6 | d);
        *to++ = char(bits >> 16);
        *to++ = char(bits >> 8);
        *to++ = char(bits);
    }
    if (padding) {
        int a = table[from[whole]], b = table[from[whole + 1]], c = padding == 1 ? table[from[whole + 2]] : 0;
        if ((a | b | c) < 0) wrong();
        if (padding == 2 ? (b & 15) : (c & 3)) wrong();
        *to++ = char(a << 2 | b >> 4);
        if (padding == 1) *to++ = char(b << 4 | c >> 2);
    }
    return made;
}

// ---- the loop ----

Ref JsonReader::read() {
start_over:
    p_ = text_;
    if (!text_source && end_ - p_ >= 3 && std::memcmp(p_, "\xEF\xBB\xBF", 3) == 0) p_ += 3;
    for (;;) {  // at a value
        space();
        Next next = Next::Done;
        unsigned char c = *p_;
        if (c == '"') {
            ++p_;
            push(string());
        } else if (c == '{') {
            next = open_object();
        } else if (c == '[') {
            next = open_array();
        } else if ((c >= '0' && c <= '9') || c == '-') {
            number();
        } else {
            word();
        }
        if (next == Next::Value) continue;
        for (;;) {  // after a value
            if (restart_) {
                restart_ = false;
                forget();
                goto start_over;
            }
            if (frames_.empty()) {
                space();
                if (p_ < end_) syntax("something follows the value");
                if (values_.size() != 1) raise(PyExc_SystemError, "the value stack is not balanced");
                finish();
                return result();
            }
            Frame& frame = frames_.back();
            if (frame.role == Role::Fields && frame.expected < frame.shape->fields.size()) {
                const Spelled& key = frame.shape->fields[frame.expected].json;  // ,"name":
                if (key.stands(p_, size_t(end_ - p_))) {
                    p_ += key.size();
                    ++frame.expected;
                    break;
                }
            }
            space();
            switch (frame.role) {
                case Role::List:
                    if (take(',')) {
                        next = Next::Value;
                        break;
                    }
                    if (!take(']')) syntax(p_ >= end_ ? "the text ends inside an array" : "a comma or ] was expected");
                    next = close_array();
                    break;
                case Role::Map:
                    if (take(','))
                        next = map_entry();
                    else if (take(']'))
                        next = close_array();
                    else
                        syntax("a comma or ] was expected");
                    break;
                case Role::Pair:
                    if (count(frame) == 1 && take(',')) {
                        next = Next::Value;
                        break;
                    }
                    if (count(frame) != 2 || !take(']')) fail("value", "$map holds arrays of a key and a value", "", at());
                    close();
                    next = Next::Done;
                    break;
                default:
                    if (take(',')) {
                        next = next_key(false);
                    } else if (take('}')) {
                        next = close_object();
                    } else {
                        syntax(p_ >= end_ ? "the text ends inside an object" : "a comma or } was expected");
                    }
            }
            if (next == Next::Value) break;
        }
    }
}

}  // namespace mason
