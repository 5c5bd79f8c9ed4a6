// Strategy: one owner class for Python references and one C++ exception for "a Python error is set".
// Inside the core errors travel as C++ exceptions; module.cpp is the only place where they meet the C API.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <utility>

namespace mason {

// Thrown when a Python exception has been set; caught at the C API boundary only.
struct PythonError {};

// Owns one reference.
class Ref {
  public:
    Ref() noexcept = default;
    static Ref steal(PyObject* object) noexcept { return Ref(object); }
    static Ref share(PyObject* object) noexcept { return Ref(Py_XNewRef(object)); }
    // Takes a new reference that the C API returned; a null pointer means that an error is set.
    static Ref check(PyObject* object) {
        if (object == nullptr) throw PythonError{};
        return Ref(object);
    }
    Ref(const Ref& other) noexcept : object_(Py_XNewRef(other.object_)) {}
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() { Py_XDECREF(object_); }

    PyObject* get() const noexcept { return object_; }
    PyObject* release() noexcept { return std::exchange(object_, nullptr); }
    explicit operator bool() const noexcept { return object_ != nullptr; }

  private:
    explicit Ref(PyObject* object) noexcept : object_(object) {}
    PyObject* object_ = nullptr;
};

// Attributes by names that CPython's cache of methods meets again: a fresh text each time would fill it.
inline Ref attribute(PyObject* object, const char* name) {
    Ref text = Ref::check(PyUnicode_InternFromString(name));
    return Ref::check(PyObject_GetAttr(object, text.get()));
}
inline Ref call_method(PyObject* object, const char* name) {
    Ref text = Ref::check(PyUnicode_InternFromString(name));
    return Ref::check(PyObject_CallMethodNoArgs(object, text.get()));
}

inline void check(int status) {
    if (status < 0) throw PythonError{};
}

[[noreturn]] inline void raise(PyObject* type, const char* text) {
    PyErr_SetString(type, text);
    throw PythonError{};
}

inline bool is_text(PyObject* object) { return PyUnicode_CheckExact(object); }

}  // namespace mason
