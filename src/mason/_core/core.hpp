// The functions of the extension module, one per direction.
#pragma once

#include "hashing.hpp"
#include "ref.hpp"

namespace mason {

bool parse_limits(PyObject* tuple, Limits& limits);
PyObject* core_dump(PyObject* module, PyObject* const* args, Py_ssize_t count);
PyObject* core_load(PyObject* module, PyObject* const* args, Py_ssize_t count);

}  // namespace mason
