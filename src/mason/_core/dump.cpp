// Strategy: the entry point of dump: options in, one walk, bytes or str out.
#include "cbor_writer.hpp"
#include "json_writer.hpp"
#include "walk_open.hpp"

#include "core.hpp"

namespace mason {

// (depth, nodes, bytes, seconds, digits, key_nodes, key_depth, collisions), -1 for none.
bool parse_limits(PyObject* tuple, Limits& limits) {
    if (tuple == Py_None) return true;
    return PyArg_ParseTuple(tuple, "nnndnnnn;limits must be a tuple of eight", &limits.depth, &limits.nodes, &limits.bytes,
               &limits.seconds, &limits.digits, &limits.key_nodes, &limits.key_depth, &limits.collisions) != 0;
}

static Ref as_text(Ref bytes) {
    return Ref::check(PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes.get()), PyBytes_GET_SIZE(bytes.get()), nullptr));
}

PyObject* core_dump(PyObject*, PyObject* const* args, Py_ssize_t count) {
    if (count != 6) return PyErr_Format(PyExc_TypeError, "dump takes obj, plans, format, indent, flags, limits");
    if (!Py_IS_TYPE(args[1], state.plans_type)) return PyErr_Format(PyExc_TypeError, "plans must be a Plans");
    DumpOptions options;
    bool json = is_text(args[2]) && PyUnicode_CompareWithASCIIString(args[2], "json") == 0;
    if (!json && !(is_text(args[2]) && PyUnicode_CompareWithASCIIString(args[2], "cbor") == 0))
        return PyErr_Format(PyExc_ValueError, "the core writes json and cbor, not %R", args[2]);
    if (args[3] != Py_None) {
        long indent = PyLong_AsLong(args[3]);
        if (indent == -1 && PyErr_Occurred()) return nullptr;
        if (indent < 0 || indent > 64) return PyErr_Format(PyExc_ValueError, "indent must be between 0 and 64");
        options.indent = int(indent);
    }
    long flags = PyLong_AsLong(args[4]);
    if (flags == -1 && PyErr_Occurred()) return nullptr;
    options.typed = flags & 1;
    options.plain = flags & 2;
    options.shared = flags & 4;
    options.stable = flags & 8;
    options.text = flags & 16;
    if (!parse_limits(args[5], options.limits)) return nullptr;
    try {
        Plans* plans = reinterpret_cast<Plans*>(args[1]);
        if (!json) return Walk<CborWriter>(plans, options).run(args[0]).release();
        Ref bytes = options.indent < 0 ? Walk<JsonWriter<false>>(plans, options).run(args[0])
                                       : Walk<JsonWriter<true>>(plans, options).run(args[0]);
        return (options.text ? as_text(std::move(bytes)) : std::move(bytes)).release();
    } catch (PythonError&) {
        return nullptr;
    } catch (std::bad_alloc&) {
        return PyErr_NoMemory();
    } catch (std::exception& error) {
        PyErr_SetString(PyExc_SystemError, error.what());
        return nullptr;
    }
}

}  // namespace mason
