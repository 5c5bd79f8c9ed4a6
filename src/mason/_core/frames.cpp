// Strategy: paths for people, worked out from the open frames when a problem is noted.
#include "frames.hpp"

#include "hashing.hpp"

namespace mason {

void path_key(std::string& path, PyObject* key) {
    if (PyUnicode_IS_ASCII(key) && PyUnicode_GET_LENGTH(key) <= 100 && PyUnicode_IsIdentifier(key)) {
        path += '.';
        path.append(static_cast<const char*>(PyUnicode_DATA(key)), size_t(PyUnicode_GET_LENGTH(key)));
        return;
    }
    constexpr Py_ssize_t room = 100;  // a path is for people
    Ref start = Ref::share(key);
    bool cut = PyUnicode_GET_LENGTH(key) > room;
    if (cut) start = Ref::check(PyUnicode_Substring(key, 0, room));
    path += '[';
    path += json_spelling(start.get(), false);
    path += cut ? "...]" : "]";
}

bool content_slot(PyObject* key) {
    static const Key content[] = {Key::List, Key::Dict, Key::Map, Key::Set, Key::Frozenset, Key::Tuple, Key::Extra};
    for (Key slot : content)
        if (PyUnicode_Compare(key, state.reserved[int(slot)]) == 0) return true;
    return false;
}

using Frame = Frames::Frame;

static void step(std::string& text, const Frame& frame) {
    Py_ssize_t place = frame.place - 1;
    if (place < 0) return;
    auto number = [&](const char* open, Py_ssize_t n, char close) { text += open + std::to_string(n) + close; };
    switch (frame.form) {
        case Frame::List:
        case Frame::Tuple: return number(frame.pairs ? "[#" : "[", place, ']');
        case Frame::Set:
        case Frame::Frozenset: return number("{", place, '}');
        case Frame::Fields:
        case Frame::NamedTuple: return path_key(text, frame.shape->fields[size_t(place)].name.get());
        case Frame::Tag: return;
        case Frame::Map:
            if (frame.phase == 1) return number("{", place, '}');
            break;
        default: break;
    }
    PyObject *key = nullptr, *value;
    Py_ssize_t position = 0;
    PyObject* dict = frame.form == Frame::Slots ? frame.content : frame.owner;
    for (Py_ssize_t i = 0; i <= place; ++i)
        if (!PyDict_Next(dict, &position, &key, &value)) return;
    if (frame.form == Frame::Slots && is_text(key) && content_slot(key)) return;
    if (is_text(key)) return path_key(text, key);
    int overflow = 0;
    if (PyLong_CheckExact(key)) {
        long long n = PyLong_AsLongLongAndOverflow(key, &overflow);
        if (!overflow) return number("[", Py_ssize_t(n), ']');
    }
    number("[#", place, ']');
}

std::string Frames::path() const {
    std::string text = "$";
    size_t depth = stack_.size();
    for (size_t i = 0; i < depth; ++i) {
        if (depth > 60 && i == 30) {
            text += "...";
            i = depth - 30;
        }
        step(text, stack_[i]);
    }
    return text;
}

bool nested_too_deep(const Frames& frames, PyObject* object, const Plan* plan) {
    if (plan->shell == Py_None || !frees_by_recursion(object)) return false;
    size_t nested = 0;
    for (size_t i = frames.size(); i-- > 0 && nested < 500;) {
        const Frame& frame = frames[i];
        if (frame.form == Frame::Slots && frees_by_recursion(frame.owner))
            ++nested;
        else if (i > 0 && frames[i - 1].form != Frame::Slots && !frames[i - 1].pairs)
            break;
    }
    return nested == 500;
}

}  // namespace mason
