// Strategy: keys are taken out first, because hashing them may change the container.
#include "keys.hpp"

#include <cmath>

namespace mason {

const char* GraphKeys::refuse_all(PyObject* container) {
    bool set = PyAnySet_Check(container);
    std::vector<Hashed> hashes;
    bool many = (set ? PySet_GET_SIZE(container) : PyDict_GET_SIZE(container)) > limits_.collisions;
    Ref keys = Ref::check(set ? PySequence_List(container) : PyDict_Keys(container));
    begin();
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys.get()); ++i) {
        PyObject* key = PyList_GET_ITEM(keys.get(), i);
        if (const char* why = refuse(key)) return why;
        if (!counts(many)) continue;
        Py_hash_t hash = PyObject_Hash(key);
        if (hash == -1) {
            if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) throw PythonError{};
            PyErr_Clear();
            return "has a key that cannot be hashed";
        }
        hashes.push_back(hashed(hash, key));
    }
    if (const char* why = mixed()) return why;
    return collide(hashes, set);
}

static bool ordered(PyObject* object, PyTypeObject* type) {
    if (Py_TYPE(object) != type) return false;
    if (type == &PyFloat_Type) return !std::isnan(PyFloat_AS_DOUBLE(object));
    if (type != &PyTuple_Type) return true;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(object); ++i) {
        PyObject* item = PyTuple_GET_ITEM(object, i);
        if (!PyUnicode_CheckExact(item) && !PyLong_CheckExact(item)) return false;
    }
    return true;
}

void sort_elements(PyObject* list) {
    if (PyList_GET_SIZE(list) < 2) return;
    PyTypeObject* type = Py_TYPE(PyList_GET_ITEM(list, 0));
    bool known = type == &PyUnicode_Type || type == &PyLong_Type || type == &PyBytes_Type || type == &PyFloat_Type ||
                 type == &PyTuple_Type;
    for (Py_ssize_t i = 0; known && i < PyList_GET_SIZE(list); ++i) known = ordered(PyList_GET_ITEM(list, i), type);
    if (!known || PyList_Sort(list) == 0) return;
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw PythonError{};
    PyErr_Clear();  // tuples of texts and of ints
}

}  // namespace mason
