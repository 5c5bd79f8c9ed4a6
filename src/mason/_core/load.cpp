// Strategy: the entry point of load: bytes or str in, one reader, a value or an inert tree out.
#include "cbor_reader.hpp"
#include "json_reader.hpp"

#include "core.hpp"

namespace mason {

// The UTF-8 bytes of what is to be read (owned by `kept` where they had to be made), ended by a NUL.
static bool source_bytes(PyObject* data, bool json, Ref& kept, const char*& bytes, size_t& size) {
    if (PyUnicode_CheckExact(data)) {
        if (!json) {
            PyErr_SetString(PyExc_TypeError, "CBOR is bytes, not str");
            return false;
        }
        if (PyUnicode_IS_ASCII(data)) {
            kept = Ref::share(data);
            bytes = static_cast<const char*>(PyUnicode_DATA(data));
            size = size_t(PyUnicode_GET_LENGTH(data));
            return true;
        }
        kept = Ref::steal(PyUnicode_AsUTF8String(data));
    } else if (PyBytes_CheckExact(data)) {
        kept = Ref::share(data);
    } else {
        kept = Ref::steal(PyBytes_FromObject(data));
    }
    if (!kept) return false;
    bytes = PyBytes_AS_STRING(kept.get());
    size = size_t(PyBytes_GET_SIZE(kept.get()));
    return true;
}

template <class Reader>
static Ref run(Reader& reader, PyObject* data, const LoadOptions& options, bool& typed) {
    reader.data = data;
    Ref value = reader.read();
    if constexpr (std::is_same_v<Reader, JsonReader>) typed = reader.typed();
    if (!options.inert) return value;
    Ref needs = reader.needs();
    return Ref::check(Py_BuildValue("(OOO)", value.get(), needs.get(), typed ? Py_True : Py_False));
}

PyObject* core_load(PyObject*, PyObject* const* args, Py_ssize_t count) {
    if (count != 5) return PyErr_Format(PyExc_TypeError, "load takes data, format, resolve, flags, limits");
    bool json = is_text(args[1]) && PyUnicode_CompareWithASCIIString(args[1], "json") == 0;
    if (!json && !(is_text(args[1]) && PyUnicode_CompareWithASCIIString(args[1], "cbor") == 0))
        return PyErr_Format(PyExc_ValueError, "the core reads json and cbor, not %R", args[1]);
    long flags = PyLong_AsLong(args[3]);
    if (flags == -1 && PyErr_Occurred()) return nullptr;
    LoadOptions options;
    options.plain = flags & 1;
    options.inert = flags & 2;
    options.judged = flags & 4;
    options.last_wins = flags & 8;
    options.nonfinite = flags & 16;
    options.ordered = flags & 32;
    if (!parse_limits(args[4], options.limits)) return nullptr;
    try {
        Ref kept;
        const char* bytes;
        size_t size;
        bool typed = false;
        if (!source_bytes(args[0], json, kept, bytes, size)) {
            if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return nullptr;
            PyErr_Clear();
            Ref error = Ref::check(PyObject_CallFunction(
                state.load_error, "sssnsO", "syntax", "the text holds a lone surrogate, which no UTF-8 has", "", Py_ssize_t(-1), "$", Py_None));
            PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
            return nullptr;
        }
        if (options.limits.bytes >= 0 && size > size_t(options.limits.bytes)) {
            Ref error = Ref::check(PyObject_CallFunction(state.load_error, "sssnsO", "limit", "the document is beyond Limits.bytes",
                "if you know the file, raise it: limits=mason.Limits(...)", Py_ssize_t(-1), "$", Py_None));
            PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
            return nullptr;
        }
        if (json) {
            JsonReader reader(bytes, size, args[2], options);
            reader.text_source = PyUnicode_CheckExact(args[0]);
            return run(reader, kept.get(), options, typed).release();
        }
        CborReader reader(bytes, size, args[2], options);
        return run(reader, kept.get(), options, typed).release();
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
