// Strategy: a zone is asked once; what it says is kept until another comes.
#include "zones.hpp"

#include "moments.hpp"

namespace mason {

PyObject* Zones::fixed_offset(PyObject* zone) {
    if (zone == fixed_.get()) return offset_.get();
    moments::fetch();
    if (!Py_IS_TYPE(zone, Py_TYPE(PyDateTime_TimeZone_UTC))) return nullptr;
    Ref arguments = Ref::check(PyObject_CallMethod(zone, "__getinitargs__", nullptr));
    fixed_ = Ref::share(zone);
    bool unnamed = PyTuple_CheckExact(arguments.get()) && PyTuple_GET_SIZE(arguments.get()) == 1;
    offset_ = unnamed ? Ref::share(PyTuple_GET_ITEM(arguments.get(), 0)) : Ref();
    return offset_.get();
}

PyObject* Zones::key(PyObject* zone) {
    if (zone == zone_.get()) return key_.get();
    if (std::strcmp(Py_TYPE(zone)->tp_name, "zoneinfo.ZoneInfo") != 0) return nullptr;
    Plan* plan = plans_->find(Py_TYPE(zone));
    if (plan->kind != Kind::Parts || plan->take == Py_None) return nullptr;
    PyObject* slots = PyObject_CallOneArg(plan->take, zone);
    if (slots == nullptr) {
        if (!PyErr_ExceptionMatches(state.refused)) throw PythonError{};
        PyErr_Clear();  // told where the zone itself is written
        return nullptr;
    }
    Ref owned = Ref::steal(slots);
    PyObject* key = PyDict_CheckExact(slots) ? PyDict_GetItem(slots, state.reserved[int(Key::Str)]) : nullptr;
    if (key == nullptr || !is_text(key) || !PyUnicode_IS_ASCII(key)) return nullptr;
    zone_ = Ref::share(zone);
    key_ = Ref::share(key);
    return key;
}

}  // namespace mason
