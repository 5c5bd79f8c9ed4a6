// Strategy: the attributes of an instance are read where CPython keeps them, without a dictionary being made: slots by
// their offset, the rest from the array of values beside the instance. Where there is no such array, from the dictionary.
#pragma once

#include "plan.hpp"

#include <string>
#include <utility>
#include <vector>

namespace mason {

inline PyObject* in_slot(PyObject* object, const Field& field) {
    return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + field.offset);
}

// The attributes of an instance that matches a shape, as they lie in memory; valid until any code runs.
class AttributeView {
  public:
    explicit AttributeView(PyObject* object) : object_(object) {
        layout::Values values;
        if (layout::attribute_values(object, values)) values_ = values.values;
    }
    // Borrowed; null when it is not set, or cannot be seen from here.
    PyObject* operator[](const Field& field) const {
        if (field.offset >= 0) return in_slot(object_, field);
        return values_ && field.place >= 0 ? values_[field.place] : nullptr;
    }

  private:
    PyObject* object_;
    PyObject* const* values_ = nullptr;
};

// The value of a field (borrowed), or null when it is not there. May run code, like a look into any dictionary.
PyObject* field_value(PyObject* object, const Field& field);

// Whether the instance's attributes are exactly those of the shape, in its order.
bool matches(PyObject* object, const Plan* plan, const Shape& shape);

struct Attribute {
    Ref name, value;
    bool slot;  // not in the dictionary of the instance
};
using Attributes = std::vector<Attribute>;
// All attributes by name, slots first; those that the plan drops are left out.
Attributes attributes_of(PyObject* object, const Plan* plan);
// What is wrong with the names, or nothing.
std::string unsound_names(const Attributes& attributes, const Plan* plan);
std::string unsound_keys(PyObject* dict);
// A shape of these names, when the instance has what its class declares and nothing more; else null.
const Shape* learn(Plan* plan, const Attributes& attributes);
// The raw slots of an instance that differs from its fields: `$extra` and `$unset` say how.
Ref raw_fields(const Plan* plan, const Attributes& attributes);
// The raw slots of a named tuple that has attributes of its own, in a dictionary that becomes part of them.
Ref raw_named_tuple(PyObject* tuple, const Shape& shape, PyObject* extra);

bool reserved_attribute(PyObject* name);  // __dunder__ names, which no document may set

}  // namespace mason
