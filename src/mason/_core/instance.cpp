// Strategy: what is done once per instance, and more when it has not the shape that others of its class had.
#include "instance.hpp"

namespace mason {

// The dictionary of an instance; the instance keeps it.
static PyObject* dict_of(PyObject* object) {
    PyObject* made = layout::made_dict(object);
    return made ? made : Ref::check(PyObject_GenericGetDict(object, nullptr)).get();
}

PyObject* field_value(PyObject* object, const Field& field) {
    if (field.offset >= 0) return in_slot(object, field);
    layout::Values values;
    if (layout::attribute_values(object, values)) {
        if (field.place < 0) field.place = layout::place_of(Py_TYPE(object), field.name.get());
        return field.place >= 0 ? values.values[field.place] : nullptr;
    }
    PyObject* value = PyDict_GetItemWithError(dict_of(object), field.name.get());
    if (value == nullptr && PyErr_Occurred()) throw PythonError{};
    return value;
}

static bool values_match(PyObject* object, const layout::Values& values, const Shape& shape) {
    if (values.size != shape.stored) return false;
    if (shape.placed) {
        for (int i = 0, count = shape.stored; i < count; ++i)
            if (values.order(i) != shape.places[i]) return false;
        return true;
    }
    int next = 0;
    for (const Field& field : shape.fields) {
        if (field.offset >= 0) continue;
        int place = values.order(next++);
        if (layout::key_at(Py_TYPE(object), place) != field.name.get()) return false;
        field.place = place;
        if (next <= 32) shape.places[next - 1] = uint8_t(place);
    }
    shape.placed = shape.stored <= 32;
    return true;
}

static bool dict_matches(PyObject* dict, const Shape& shape) {
    if (PyDict_GET_SIZE(dict) != shape.stored) return false;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    for (const Field& field : shape.fields)
        if (field.offset < 0 && (!layout::next(dict, position, key, value) || key != field.name.get())) return false;
    return true;
}

bool matches(PyObject* object, const Plan* plan, const Shape& shape) {
    if (Py_TYPE(object) != plan->cls) return false;  // its class was changed by code that ran meanwhile
    size_t slots = plan->body->slots.size();
    if (shape.fields.size() - size_t(shape.stored) != slots) return false;
    if (slots > 0)
        for (const Field& field : shape.fields)
            if (field.offset >= 0 && in_slot(object, field) == nullptr) return false;
    if (!plan->body->has_dict) return true;
    layout::Values values;
    if (layout::attribute_values(object, values)) return values_match(object, values, shape);
    PyObject* dict = layout::made_dict(object);
    if (dict == nullptr && layout::fast && layout::has_inline_layout(Py_TYPE(object)) && shape.stored == 0) return true;
    return dict_matches(dict ? dict : dict_of(object), shape);
}

Attributes attributes_of(PyObject* object, const Plan* plan) {
    Attributes found;
    for (const Field& slot : plan->body->slots)
        if (PyObject* value = in_slot(object, slot)) found.push_back({slot.name, Ref::share(value), true});
    layout::Values values;
    if (plan->body->has_dict && layout::attribute_values(object, values)) {
        for (int i = 0; i < values.size; ++i) {
            int place = values.order(i);
            found.push_back({Ref::share(layout::key_at(Py_TYPE(object), place)), Ref::share(values.values[place]), false});
        }
    } else if (plan->body->has_dict) {
        Ref dict = Ref::share(dict_of(object));
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(dict.get(), &position, &key, &value)) found.push_back({Ref::share(key), Ref::share(value), false});
    }
    if (plan->dropped == Py_None) return found;
    for (size_t i = 0; i < found.size();) {
        int dropped = PyDict_Contains(plan->dropped, found[i].name.get());
        check(dropped);
        if (dropped)
            found.erase(found.begin() + Py_ssize_t(i));
        else
            ++i;
    }
    return found;
}

bool reserved_attribute(PyObject* name) {
    Py_ssize_t size = PyUnicode_GET_LENGTH(name);
    if (size < 5 || PyUnicode_READ_CHAR(name, 0) != '_' || PyUnicode_READ_CHAR(name, 1) != '_') return false;
    if (PyUnicode_READ_CHAR(name, size - 1) != '_' || PyUnicode_READ_CHAR(name, size - 2) != '_') return false;
    return PyUnicode_CompareWithASCIIString(name, "__orig_class__") != 0;
}

static std::string unsound_name(PyObject* name) {
    if (!is_text(name)) return "has an attribute whose name is not a str";
    if (reserved_attribute(name)) return "has the attribute " + json_spelling(name, false) + ", a name that no document may set";
    return "";
}

std::string unsound_names(const Attributes& attributes, const Plan* plan) {
    for (const auto& [name, value, slot] : attributes) {
        std::string why = unsound_name(name.get());
        if (!why.empty()) return why;
        // a reader finds one place for a name, and what the slot has or lacks is what the class sees
        if (!slot && plan->slot_named(name.get()) != nullptr)
            return "has " + json_spelling(name.get(), false) + " in its __dict__, where its class has a slot of that name";
    }
    return "";
}

std::string unsound_keys(PyObject* dict) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    std::string why;
    while (why.empty() && PyDict_Next(dict, &position, &key, &value)) why = unsound_name(key);
    return why;
}

const Shape* learn(Plan* plan, const Attributes& attributes) {
    std::vector<Ref> names;
    for (const auto& [name, value, slot] : attributes) {
        if (!plan->declares(name.get())) return nullptr;
        PyObject* interned = Py_NewRef(name.get());
        PyUnicode_InternInPlace(&interned);
        names.push_back(Ref::steal(interned));
    }
    if (plan->declared && Py_ssize_t(names.size()) != PyTuple_GET_SIZE(plan->fields)) return nullptr;
    return plan->shape_for(names);
}

static Ref slot_key(PyObject* name) {
    if (!starts_with_dollar(name)) return Ref::share(name);
    return Ref::check(PyUnicode_FromFormat("$%U", name));
}

Ref raw_fields(const Plan* plan, const Attributes& attributes) {
    Ref slots = Ref::check(PyDict_New()), extra = Ref::check(PyDict_New()), unset = Ref::check(PyList_New(0));
    for (const auto& [name, value, slot] : attributes) {
        if (plan->declares(name.get()))
            check(PyDict_SetItem(slots.get(), slot_key(name.get()).get(), value.get()));
        else
            check(PyDict_SetItem(extra.get(), name.get(), value.get()));
    }
    if (plan->declared)
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(plan->fields); ++i) {
            PyObject* name = PyTuple_GET_ITEM(plan->fields, i);
            int there = PyDict_Contains(slots.get(), slot_key(name).get());
            check(there);
            if (!there) check(PyList_Append(unset.get(), name));
        }
    if (PyDict_GET_SIZE(extra.get())) check(PyDict_SetItem(slots.get(), state.reserved[int(Key::Extra)], extra.get()));
    if (PyList_GET_SIZE(unset.get())) check(PyDict_SetItem(slots.get(), state.reserved[int(Key::Unset)], unset.get()));
    return slots;
}

Ref raw_named_tuple(PyObject* tuple, const Shape& shape, PyObject* extra) {
    Ref slots = Ref::check(PyDict_New());
    for (size_t i = 0; i < shape.fields.size(); ++i)
        check(PyDict_SetItem(slots.get(), slot_key(shape.fields[i].name.get()).get(), PyTuple_GET_ITEM(tuple, Py_ssize_t(i))));
    check(PyDict_SetItem(slots.get(), state.reserved[int(Key::Extra)], extra));
    return slots;
}

}  // namespace mason
