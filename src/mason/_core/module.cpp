// Strategy: the face of the core towards Python. Python hands in, once, what the core calls back: how errors are
// made, and the table of the standard library's kinds. The core knows no policy and no library.
#include "core.hpp"
#include "order.hpp"
#include "plan.hpp"

namespace mason {

namespace layout {

#if MASON_KNOWN_LAYOUT
static bool matches_vars(PyObject* object) {
    Values values;
    if (!inline_values(object, values) || values.size != 3) return false;
    static const char* const names[] = {"c", "a", "b"};
    for (int i = 0; i < 3; ++i) {
        PyObject* name = key_at(Py_TYPE(object), values.order(i));
        if (name == nullptr || !PyUnicode_Check(name) || PyUnicode_CompareWithASCIIString(name, names[i]) != 0) return false;
        Ref expected = Ref::check(PyObject_GetAttr(object, name));
        if (values.values[values.order(i)] != expected.get()) return false;
    }
    return true;
}

static bool stores_all(PyObject* empty) {
    Values values;
    if (empty == nullptr || !inline_values(empty, values) || values.size != 0) return false;
    Ref c = Ref::check(PyUnicode_InternFromString("c")), b = Ref::check(PyUnicode_InternFromString("b"));
    int first = place_of(Py_TYPE(empty), c.get()), second = place_of(Py_TYPE(empty), b.get());
    if (first < 0 || second < 0) return false;
    uint8_t places[2] = {uint8_t(first), uint8_t(second)};
    PyObject* items[2] = {Py_NewRef(Py_Ellipsis), Py_NewRef(Py_None)};
    store_all(values.values, places, items, 2);
    Ref dict = Ref::check(PyObject_GenericGetDict(empty, nullptr));
    Ref expected = Ref::check(Py_BuildValue("[(OO)(OO)]", c.get(), Py_Ellipsis, b.get(), Py_None));
    Ref found = Ref::check(PyDict_Items(dict.get()));
    return PyObject_RichCompareBool(found.get(), expected.get(), Py_EQ) == 1;
}

static bool copies_dicts() {
    Ref a = Ref::check(PyUnicode_InternFromString("a")), b = Ref::check(PyUnicode_InternFromString("b"));
    Ref form = Ref::check(Py_BuildValue("{OiOO}", a.get(), 1, b.get(), Py_None));
    Ref list = Ref::check(PyList_New(0));
    PyObject* items[4] = {a.get(), Py_NewRef(list.get()), b.get(), Py_NewRef(Py_Ellipsis)};
    if (!has_keys(form.get(), items, 2, 2)) return false;
    Ref made = Ref::check(copy_with(form.get(), items + 1, 2, 2));
    Ref expected = Ref::check(Py_BuildValue("{OOOO}", a.get(), list.get(), b.get(), Py_Ellipsis));
    Ref before = Ref::check(Py_BuildValue("{OiOO}", a.get(), 1, b.get(), Py_None));
    return PyObject_RichCompareBool(made.get(), expected.get(), Py_EQ) == 1 && PyObject_GC_IsTracked(made.get()) &&
           PyObject_RichCompareBool(form.get(), before.get(), Py_EQ) == 1 && Py_REFCNT(list.get()) == 3;
}

static bool follows_dict() {
    Ref dict = Ref::check(PyDict_New()), number = Ref::check(PyLong_FromLong(7));
    for (const char* name : {"a", "b", "c"}) check(PyDict_SetItemString(dict.get(), name, number.get()));
    check(PyDict_DelItemString(dict.get(), "b"));
    PyObject *key, *value, *same_key, *same_value;
    Py_ssize_t position = 0, same = 0;
    bool more = true;
    while (more) {
        more = next(dict.get(), position, key, value);
        if (more != bool(PyDict_Next(dict.get(), &same, &same_key, &same_value))) return false;
        if (more && (key != same_key || value != same_value || position != same)) return false;
    }
    return true;
}

static bool sees_kept_utf8() {
    Ref text = Ref::check(PyUnicode_FromString("\xC3\xA9t\xC3\xA9"));
    size_t size = 0;
    if (kept_utf8(text.get(), size) != nullptr) return false;
    const char* made = PyUnicode_AsUTF8(text.get());
    return reinterpret_cast<const char*>(kept_utf8(text.get(), size)) == made && size == 5;
}

bool knows_decimal(PyTypeObject* type) {
    if (!fast || type->tp_basicsize != Py_ssize_t(sizeof(DecimalObject)) || type->tp_itemsize != 0) return false;
    static const struct {
        const char* text;
        bool small;
        SmallDecimal value;
    } samples[] = {{"-123.45", true, {true, 12345, -2}}, {"0E+7", true, {false, 0, 7}},
        {"9999999999999999999", true, {false, 9999999999999999999u, 0}}, {"10000000000000000000", false, {}},
        {"-Infinity", false, {}}, {"NaN", false, {}}, {"sNaN12", false, {}}};
    for (const auto& sample : samples) {
        Ref object = Ref::check(PyObject_CallFunction(reinterpret_cast<PyObject*>(type), "s", sample.text));
        SmallDecimal seen;
        if (!Py_IS_TYPE(object.get(), type) || small_decimal(object.get(), seen) != sample.small) return false;
        if (sample.small && (seen.negative != sample.value.negative || seen.digits != sample.value.digits ||
                                seen.exponent != sample.value.exponent))
            return false;
    }
    return true;
}

static bool probe() {
    Ref globals = Ref::check(PyDict_New());
    check(PyDict_SetItemString(globals.get(), "__builtins__", PyEval_GetBuiltins()));
    Ref done = Ref::check(PyRun_String(
        "class Probe: pass\n"
        "full = Probe(); full.a = 1.5; full.b = 'text'; full.c = None; del full.a; full.a = 2.5\n"
        "del full.b; full.b = 'more'; del full.c; full.c = 7; del full.a; full.a = 3.5; del full.b; full.b = 1\n"
        "empty = Probe()\n"
        "kept = Probe(); kept.b = 2; vars(kept)\n"
        "another = Probe()\n"
        "mixed = {'x': 1, 2: 3}; texts = {'x': 1}\n",
        Py_file_input, globals.get(), globals.get()));
    auto get = [&](const char* name) { return PyDict_GetItemString(globals.get(), name); };
    PyObject *full = get("full"), *empty = get("empty"), *kept = get("kept");
    if (!full || !empty || !kept || !matches_vars(full)) return false;
    Values values;
    if (inline_values(kept, values) || made_dict(kept) == nullptr || !PyDict_CheckExact(made_dict(kept))) return false;
    if (!attribute_values(kept, values) || values.size != 1 || !PyLong_Check(values.values[values.order(0)])) return false;
    if (!follows_dict() || !sees_kept_utf8()) return false;
    if (surely_text_keys(get("mixed")) || !surely_text_keys(get("texts"))) return false;
    if (!inline_values(empty, values) || values.size != 0) return false;
    Ref name = Ref::check(PyUnicode_InternFromString("b"));
    int place = place_of(Py_TYPE(empty), name.get());
    if (place < 0 || values.values[place] != nullptr) return false;
    store(values.values, place, Py_NewRef(Py_Ellipsis));
    Ref read = Ref::check(PyObject_GetAttr(empty, name.get()));
    Ref dict = Ref::check(PyObject_GenericGetDict(empty, nullptr));
    if (read.get() != Py_Ellipsis || PyDict_GET_SIZE(dict.get()) != 1) return false;
    return stores_all(get("another")) && copies_dicts();
}
#else
bool knows_decimal(PyTypeObject*) { return false; }
#endif

void self_test() {
    fast = false;
#if MASON_KNOWN_LAYOUT
    const char* forced = std::getenv("MASON_PUBLIC_API");
    if (forced != nullptr && std::strcmp(forced, "1") == 0) return;
    fast = true;  // the probe looks through the same functions
    try {
        fast = probe();
    } catch (PythonError&) {
        PyErr_Clear();
        fast = false;
    }
#endif
}

}  // namespace layout

static PyObject* core_install(PyObject*, PyObject* args, PyObject* kwargs) {
    // `state` and the types of the core belong to the process; objects of an interpreter that ends must not get there
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "mason works in the main interpreter only, not in a subinterpreter");
        return nullptr;
    }
    static const char* keywords[] = {"dump_error", "load_error", "mason_error", "refused", "kind_plan", nullptr};
    PyObject *dump_error, *load_error, *mason_error, *refused, *kind_plan;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$OOOOO:install", const_cast<char**>(keywords), &dump_error, &load_error,
            &mason_error, &refused, &kind_plan))
        return nullptr;
    Py_XSETREF(state.dump_error, Py_NewRef(dump_error));
    Py_XSETREF(state.load_error, Py_NewRef(load_error));
    Py_XSETREF(state.mason_error, Py_NewRef(mason_error));
    Py_XSETREF(state.refused, Py_NewRef(refused));
    Py_XSETREF(state.kind_plan, Py_NewRef(kind_plan));
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"dump", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(core_dump)), METH_FASTCALL,
        "Write an object: dump(obj, plans, format, indent, flags, limits)."},
    {"load", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(core_load)), METH_FASTCALL,
        "Read a document: load(data, format, resolve, flags, limits)."},
    {"install", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(core_install)), METH_VARARGS | METH_KEYWORDS,
        "Hand in what the core calls back."},
    {nullptr, nullptr, 0, nullptr}};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "mason._core", "The walk and the readers of mason.", -1, methods,
    nullptr, nullptr, nullptr, nullptr};

static Ref make_module() {
    for (int i = 0; i < reserved_count; ++i)
        state.reserved[i] = Ref::check(PyUnicode_InternFromString(reserved_texts[i])).release();
    Ref module = Ref::check(PyModule_Create(&definition));
    add_plan_types(module.get());
    add_pair_types(module.get());
    add_order_type();
    state.not_trusted = Ref::check(PyErr_NewException("mason._core.NotTrusted", nullptr, nullptr)).release();
    state.needs_judging = Ref::check(PyErr_NewException("mason._core.NeedsJudging", nullptr, nullptr)).release();
    check(PyModule_AddObjectRef(module.get(), "NotTrusted", state.not_trusted));
    check(PyModule_AddObjectRef(module.get(), "NeedsJudging", state.needs_judging));
    layout::self_test();
    check(PyModule_AddObjectRef(module.get(), "fast_layout", layout::fast ? Py_True : Py_False));
    return module;
}

}  // namespace mason

PyMODINIT_FUNC PyInit__core() {
    try {
        return mason::make_module().release();
    } catch (mason::PythonError&) {
        return nullptr;
    } catch (std::exception& error) {
        PyErr_SetString(PyExc_SystemError, error.what());
        return nullptr;
    }
}
