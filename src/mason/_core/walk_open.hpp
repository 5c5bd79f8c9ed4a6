// Strategy: how everything is opened that is more than a leaf, a list or a dictionary with text keys: it writes an atom,
// pushes a frame, or notes a problem and writes null.
#pragma once

#include "order.hpp"
#include "walk.hpp"

namespace mason {

template <class W>
void Walk<W>::open_set(PyObject* v, Frame::Form form) {
    if (!typed(v) || !hashable(v)) return;
    Py_ssize_t count = PySet_GET_SIZE(v);
    uint32_t visit = unvisited;
    if ((count > 0 || form == Frame::Set) && !enter(v, visit)) return;
    Ref elements = Ref::check(PySequence_List(v));
    restore_order(v, elements.get());
    if (options_.stable) sort_elements(elements.get());
    nodes_ += count;
    out_.form_list_begin(form == Frame::Set ? Key::Set : Key::Frozenset, size_t(count));
    frames_.push(v, form, visit, count).content = elements.release();
}

// The keys of a set or dictionary within the limits that the reader has on them.
template <class W>
bool Walk<W>::hashable(PyObject* container) {
    const char* why = keys_.refuse_all(container);
    if (why == nullptr) return true;
    return refuse(container, why, "no reader would take it; raise the limit on both sides: limits=mason.Limits(...)");
}

template <class W>
void Walk<W>::open_bytearray(PyObject* v) {
    uint32_t visit;
    if (!typed(v) || !enter(v, visit)) return;
    out_.bytes(PyByteArray_AS_STRING(v), size_t(PyByteArray_GET_SIZE(v)), true);
    close_visit(visit);
}

// ---- dates and times ----

template <class W>
bool Walk<W>::open_moment(PyObject* v, PyTypeObject* type) {
    if (type == PyDateTimeAPI->DateTimeType) {
        if (typed(v)) open_datetime(v);
    } else if (type == PyDateTimeAPI->DateType) {
        if (typed(v)) out_.date(v);
    } else if (type == PyDateTimeAPI->DeltaType) {
        if (typed(v)) out_.timedelta(v);
    } else if (type == PyDateTimeAPI->TimeType) {
        if (typed(v)) open_time(v);
    } else {
        return false;
    }
    return true;
}

template <class W>
void Walk<W>::open_datetime(PyObject* v) {
    PyObject* zone = PyDateTime_DATE_GET_TZINFO(v);
    if (PyDateTime_DATE_GET_FOLD(v) == 0) {
        if (zone == Py_None) return out_.datetime(v, nullptr, nullptr, false);
        if (PyObject* offset = zones_.fixed_offset(zone)) return out_.datetime(v, offset, nullptr, zone == PyDateTime_TimeZone_UTC);
        if (PyObject* key = zones_.key(zone)) {
            Ref offset = Ref::check(PyObject_CallMethod(v, "utcoffset", nullptr));
            if (PyDelta_CheckExact(offset.get())) return out_.datetime(v, offset.get(), key, false);
        }
    }
    open_planned(v, false);
}

template <class W>
void Walk<W>::open_time(PyObject* v) {
    PyObject* zone = PyDateTime_TIME_GET_TZINFO(v);
    if (PyDateTime_TIME_GET_FOLD(v) == 0) {
        if (zone == Py_None) return out_.time(v, nullptr);
        if (PyObject* offset = zones_.fixed_offset(zone)) return out_.time(v, offset);
    }
    open_planned(v, false);
}

// ---- what a plan describes ----

template <class W>
void Walk<W>::open_planned(PyObject* v, bool always) {
    PyTypeObject* type = Py_TYPE(v);
    Plan* plan = plans_->find(type);
    Ref kept = Ref::share(reinterpret_cast<PyObject*>(plan));
    if (plan->body->checked != serial_ && !still_there(v, plan)) return;
    if (always) known_[Known::place(type)].keep(type, plan);
    open_as(v, plan);
}

template <class W>
void Walk<W>::open_as(PyObject* v, Plan* plan) {
    switch (plan->kind) {
        case Kind::Refused:
            refuse(v, plan->reason, plan->hint);
            return;
        case Kind::Fields: return open_fields(v, plan);
        case Kind::NamedTuple: return open_named_tuple(v, plan);
        case Kind::Enum: return open_enum(v, plan);
        case Kind::Parts: return open_parts(v, plan);
        case Kind::Name: return open_name(v, plan);
        case Kind::Decimal: return open_decimal(v, plan);
        case Kind::Fraction: return open_fraction(v);
        case Kind::Uuid: return open_uuid(v, plan);
    }
}

// A class that was replaced in its module since the plan was made would come back as the other one.
template <class W>
bool Walk<W>::still_there(PyObject* v, Plan* plan) {
    plan->body->checked = serial_;
    if (plan->at_home()) return true;
    plan->body->checked = 0;
    return refuse(v, "is of a class that is no longer found under its own name",
        "it was replaced since; a notebook cell that ran again does that");
}

// Calls a plan's function; false when it refused, which is noted.
template <class W>
bool Walk<W>::call(PyObject* function, PyObject* v, Ref& result) {
    result = Ref::steal(PyObject_CallOneArg(function, v));
    if (result) return true;
    if (!PyErr_ExceptionMatches(state.refused)) throw PythonError{};
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    Ref t = Ref::steal(type), e = Ref::steal(value), b = Ref::steal(trace);
    Ref reason = Ref::check(PyObject_GetAttrString(e.get(), "reason"));
    Ref hint = Ref::check(PyObject_GetAttrString(e.get(), "hint"));
    return refuse(v, reason.get(), hint.get());
}

template <class W>
void Walk<W>::open_decimal(PyObject* v, Plan* plan) {
    if (!typed(v)) return;
    if (plan->body->reads_decimals < 0) plan->body->reads_decimals = layout::knows_decimal(Py_TYPE(v));
    layout::SmallDecimal number;
    if (plan->body->reads_decimals && layout::small_decimal(v, number)) return out_.small_decimal(number);
    Ref string = Ref::check(PyObject_Str(v));
    std::string text(static_cast<const char*>(PyUnicode_DATA(string.get())), size_t(PyUnicode_GET_LENGTH(string.get())));
    std::replace(text.begin(), text.end(), 'e', 'E');  // the caller's context may ask for small letters
    out_.decimal_number(text.data(), text.size());
}

template <class W>
void Walk<W>::open_name(PyObject* v, Plan* plan) {
    Ref name;
    if (!typed(v) || !call(plan->take, v, name)) return;
    if (!is_text(name.get())) raise(PyExc_TypeError, "a name must be a str");
    out_.global(name.get());
}

// The value of a slot that may be empty.
inline Ref slot_value(PyObject* object, const char* name) {
    Ref value = Ref::steal(PyObject_GetAttrString(object, name));
    if (value) return value;
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw PythonError{};
    PyErr_Clear();
    return value;
}

template <class W>
void Walk<W>::open_fraction(PyObject* v) {
    if (!typed(v)) return;
    Ref numerator = slot_value(v, "_numerator"), denominator = slot_value(v, "_denominator");
    bool ints = numerator && denominator && PyLong_CheckExact(numerator.get()) && PyLong_CheckExact(denominator.get());
    if (!ints || _PyLong_Sign(denominator.get()) <= 0) {  // made past Fraction.__new__
        refuse(v, "is a fraction of something else than two ints, the second of them above zero", "");
        return;
    }
    if (beyond_digits(numerator.get()) || beyond_digits(denominator.get())) {
        refuse(v, "is a fraction of more than 4300 digits", "store numerator and denominator as ints");
        return;
    }
    out_.fraction(numerator.get(), denominator.get());
}

template <class W>
void Walk<W>::open_uuid(PyObject* v, Plan* plan) {
    if (!typed(v)) return;
    PyObject *number = nullptr, *safety = nullptr, *usual = nullptr;
    for (const Field& slot : plan->body->slots) {
        PyObject* value = *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(v) + slot.offset);
        if (PyUnicode_CompareWithASCIIString(slot.name.get(), "int") == 0) number = value;
        if (PyUnicode_CompareWithASCIIString(slot.name.get(), "is_safe") != 0) continue;
        safety = value;
        if (plan->defaults != Py_None) usual = PyDict_GetItemWithError(plan->defaults, slot.name.get());
    }
    if (PyErr_Occurred()) throw PythonError{};
    // only object.__setattr__ puts anything else there
    if (number == nullptr || !PyLong_CheckExact(number) || _PyLong_Sign(number) < 0 || _PyLong_NumBits(number) > 128) {
        refuse(v, "is a UUID whose number is not an int of 128 bits", "");
        return;
    }
    if (safety != usual) {  // it says how safely it was made
        Ref slots;
        if (call(plan->take, v, slots)) open_slots(v, plan, slots, true);
        return;
    }
    unsigned char sixteen[16];
#if PY_VERSION_HEX >= 0x030D0000
    check(_PyLong_AsByteArray(reinterpret_cast<PyLongObject*>(number), sixteen, 16, 0, 0, 1));
#else
    check(_PyLong_AsByteArray(reinterpret_cast<PyLongObject*>(number), sixteen, 16, 0, 0));
#endif
    out_.uuid(sixteen);
}

template <class W>
void Walk<W>::open_enum(PyObject* v, Plan* plan) {
    if (!typed(v)) return;
    auto found = plan->body->members.find(v);
    if (found != plan->body->members.end()) {
        const Member& member = found->second;
        const std::string& bytes = W::json ? member.json : member.cbor;
        // the names of an enum are a dictionary like any other: the name may lead elsewhere by now
        if (!bytes.empty() && options_.indent < 0 && PyDict_GetItemWithError(plan->members, member.name.get()) == v) {
            nodes_ += 2;
            return out_.raw(bytes);
        }
    }
    if (PyErr_Occurred()) throw PythonError{};
    Ref slots;
    if (!call(plan->take, v, slots)) return;
    bool keep = options_.indent < 0 && PyDict_CheckExact(slots.get()) && keeps(v, plan, slots.get());
    open_slots(v, plan, slots, true);
    frames_.top().keep = keep;
}

// Whether the bytes of an enum member may be kept: it is found by its name, and what is written of it is atoms.
template <class W>
bool Walk<W>::keeps(PyObject* v, Plan* plan, PyObject* slots) {
    if (plan->members == Py_None) return false;
    PyObject* named = PyDict_GetItem(slots, state.reserved[int(Key::Enum)]);
    if (named == nullptr || !is_text(named) || PyDict_GetItem(plan->members, named) != v) return false;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(slots, &position, &key, &value))
        if (!is_text(value) && !PyLong_CheckExact(value) && value != Py_None) return false;
    return true;
}

template <class W>
void Walk<W>::open_parts(PyObject* v, Plan* plan) {
    if (!typed(v)) return;
    uint32_t visit = unvisited;
    if (!plan->atom && !enter(v, visit)) return;
    if (plan->take == Py_None) raise(PyExc_TypeError, "the plan cannot take objects apart");
    Ref slots;
    if (!plan->atom && !owns_dict(v, plan)) return close_visit(visit);
    if (!call(plan->take, v, slots)) return close_visit(visit);
    if ((PyAnySet_Check(v) || (PyDict_Check(v) && !text_keys(v))) && !hashable(v)) return close_visit(visit);
    if (nested_too_deep(frames_, v, plan)) {
        refuse(v, "stands in 500 others of its kind, each directly in the next", "Python itself could not free them");
        return close_visit(visit);
    }
    open_slots(v, plan, slots, plan->atom, visit);
}

// Pushes a frame, always: who calls it has looked at the object, and noted that the document is typed.
template <class W>
void Walk<W>::open_slots(PyObject* v, Plan* plan, Ref& slots, bool flat, uint32_t visit) {
    if (!PyDict_CheckExact(slots.get())) raise(PyExc_TypeError, "the parts of an object must be a dict of slots");
    Py_ssize_t count = PyDict_GET_SIZE(slots.get());
    nodes_ += count;
    Frame& frame = frames_.push(v, Frame::Slots, visit, count);
    frame.start = out_.out.size();
    out_.instance_begin(plan, size_t(count), flat);
    frame.plan = reinterpret_cast<Plan*>(Py_NewRef(reinterpret_cast<PyObject*>(plan)));
    frame.content = slots.release();
    frame.flat = flat;
}

// ---- inert stand-ins ----

template <class W>
void Walk<W>::open_record(PyObject* v) {
    if (!typed(v)) return;
    uint32_t visit;
    if (!enter(v, visit)) return;
    Pair* record = reinterpret_cast<Pair*>(v);
    if (!sound_record(v, record->second)) return close_visit(visit);
    Py_ssize_t count = PyDict_GET_SIZE(record->second);
    out_.record_begin(record->first, size_t(count));
    nodes_ += count;
    frames_.push(v, Frame::Slots, visit, count).content = Py_NewRef(record->second);
}

// Whether the raw slots of a Record are such as a reader takes.
template <class W>
bool Walk<W>::sound_record(PyObject* v, PyObject* items) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(items, &position, &key, &value)) {
        if (!is_text(key)) changed();
        if (!starts_with_dollar(key) || (PyUnicode_GET_LENGTH(key) > 1 && PyUnicode_READ_CHAR(key, 1) == '$')) continue;
        Key code = reserved_code(key);
        SlotShape shape = code == Key::None ? SlotShape::None : slot_shape_of(code);
        bool sound = shape == SlotShape::Any || (shape == SlotShape::Array && PyList_CheckExact(value)) ||
                     (shape == SlotShape::Object && PyDict_CheckExact(value) && text_keys(value));
        for (Py_ssize_t i = 0; sound && shape == SlotShape::Array && i < PyList_GET_SIZE(value); ++i) {
            PyObject* item = PyList_GET_ITEM(value, i);
            if (code == Key::Unset) sound = is_text(item);
            if (code == Key::Map) sound = PyList_CheckExact(item) && PyList_GET_SIZE(item) == 2;
        }
        if (sound) continue;
        std::string why = "holds the slot " + json_spelling(key, false) + " with a content that no reader takes";
        return refuse(v, why.c_str(), "a `$` at the start of an attribute's name is written twice");
    }
    return true;
}

template <class W>
void Walk<W>::open_tag(PyObject* v) {
    if (!typed(v)) return;
    Pair* tag = reinterpret_cast<Pair*>(v);
    uint64_t number = PyLong_AsUnsignedLongLong(tag->first);
    if (own_tag(number)) {
        refuse(v, "is a tag that this notation gives a meaning of its own", "write the value itself");
        return;
    }
    uint32_t visit;
    if (!enter(v, visit)) return;
    nodes_ += 1;
    out_.tag_begin(tag->first, number);
    frames_.push(v, Frame::Tag, visit, 1);
}

// ---- instances ----

template <class W>
void Walk<W>::open_fields(PyObject* v, Plan* plan) {
    uint32_t visit;
    if (!typed(v) || !enter(v, visit)) return;
    if (!owns_dict(v, plan)) return close_visit(visit);
    const auto& shapes = plan->body->shapes;
    for (size_t i = 0; i < shapes.size(); ++i) {  // by number: a look into a dictionary may run code that adds to them
        const Shape& shape = *shapes[i];
        if (matches(v, plan, shape)) return push_fields(v, plan, shape, visit);
    }
    Attributes found = attributes_of(v, plan);
    std::string why = unsound_names(found, plan);
    if (!why.empty()) {
        refuse(v, why.c_str(), "");
        return close_visit(visit);
    }
    const Shape* shape = learn(plan, found);
    if (shape != nullptr && matches(v, plan, *shape)) return push_fields(v, plan, *shape, visit);
    Ref slots = raw_fields(plan, found);
    open_slots(v, plan, slots, false, visit);
}

template <class W>
void Walk<W>::push_fields(PyObject* v, Plan* plan, const Shape& shape, uint32_t visit) {
    Py_ssize_t count = Py_ssize_t(shape.fields.size()), place = 0;
    nodes_ += count;
    out_.instance_begin(plan, size_t(count), false);
    PyObject* next = leaf_fields(v, shape, place);
    if (next == nullptr && place == count) {
        out_.instance_end(false);
        return close_visit(visit);
    }
    push_instance(v, Frame::Fields, plan, shape, visit, place, next);
}

template <class W>
void Walk<W>::push_instance(PyObject* v, Frame::Form form, Plan* plan, const Shape& shape, uint32_t visit, Py_ssize_t place,
    PyObject* next) {
    Frame& frame = frames_.push(v, form, visit, Py_ssize_t(shape.fields.size()));
    frame.plan = reinterpret_cast<Plan*>(Py_NewRef(reinterpret_cast<PyObject*>(plan)));
    frame.shape = &shape;
    frame.place = place;
    frame.next = next;
}

template <class W>
void Walk<W>::open_named_tuple(PyObject* v, Plan* plan) {
    uint32_t visit;
    if (!typed(v) || !enter(v, visit)) return;
    if (!owns_dict(v, plan)) return close_visit(visit);
    const Shape& shape = *plan->body->shapes[0];
    Py_ssize_t count = Py_ssize_t(shape.fields.size()), place = 0;
    if (PyTuple_GET_SIZE(v) != count) {
        refuse(v, "has another number of items than its class has fields", "");
        return close_visit(visit);
    }
    Ref dict;
    if (plan->body->has_dict) dict = Ref::check(PyObject_GenericGetDict(v, nullptr));
    if (dict && PyDict_GET_SIZE(dict.get()) > 0) {
        Ref extra = Ref::check(PyDict_Copy(dict.get()));
        std::string why = unsound_keys(extra.get());
        if (!why.empty()) {
            refuse(v, why.c_str(), "");
            return close_visit(visit);
        }
        Ref slots = raw_named_tuple(v, shape, extra.get());
        return open_slots(v, plan, slots, false, visit);
    }
    nodes_ += count;
    out_.instance_begin(plan, size_t(count), false);
    PyObject* next = leaf_named(v, shape, place);
    if (next != nullptr) return push_instance(v, Frame::NamedTuple, plan, shape, visit, place, next);
    out_.instance_end(false);
    close_visit(visit);
}

template <class W>
void Walk<W>::open_map(PyObject* v) {
    uint32_t visit;
    if (!typed(v) || !hashable(v) || !enter(v, visit)) return;
    Py_ssize_t count = PyDict_GET_SIZE(v);
    nodes_ += count;
    out_.map_begin(size_t(count));
    frames_.push(v, Frame::Map, visit, count);
}

}  // namespace mason
