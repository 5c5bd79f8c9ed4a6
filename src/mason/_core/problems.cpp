// Strategy: the rows of a DumpError, and the error itself, which Python makes.
#include "problems.hpp"

namespace mason {

// The type as "module.qualname"; the metaclass is not asked.
static Ref type_name(PyTypeObject* type) {
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return Ref::check(PyUnicode_FromString(type->tp_name));
#if PY_VERSION_HEX >= 0x030C0000
    Ref dict = Ref::check(PyType_GetDict(type));
#else
    Ref dict = Ref::share(type->tp_dict);
#endif
    PyObject* module = PyDict_GetItemString(dict.get(), "__module__");
    PyObject* name = reinterpret_cast<PyHeapTypeObject*>(type)->ht_qualname;
    if (module == nullptr || !is_text(module) || PyUnicode_CompareWithASCIIString(module, "builtins") == 0) return Ref::share(name);
    return Ref::check(PyUnicode_FromFormat("%U.%U", module, name));
}

void Problems::note(const Frames& frames, PyObject* object, PyObject* reason, PyObject* hint) {
    Ref kept = Ref::share(object);
    if (++total_ > 100) {
        if (total_ > most_) raise();
        return;
    }
    if (!rows_) rows_ = Ref::check(PyList_New(0));
    std::string where = frames.path();
    Ref place = Ref::check(PyUnicode_DecodeUTF8(where.data(), Py_ssize_t(where.size()), "replace"));
    Ref row = Ref::check(Py_BuildValue("(OOOO)", place.get(), type_name(Py_TYPE(object)).get(), reason, hint));
    check(PyList_Append(rows_.get(), row.get()));
}

void Problems::raise() const {
    Ref error = Ref::check(PyObject_CallFunction(state.dump_error, "On", rows_.get(), Py_ssize_t(total_)));
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
    throw PythonError{};
}

}  // namespace mason
