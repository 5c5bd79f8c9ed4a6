// Strategy: everything that knows the inside of CPython's objects stands here, behind a version guard.
// The attributes of an instance usually lie in an array beside it ("inline values"), in the order of the
// class's shared keys; reading and writing that array spares the instance its dictionary. A self-test at
// import compares the array with vars(); where it fails, or on an unknown version, `fast` stays false
// and the callers use the public API.
#pragma once

#include "ref.hpp"

#include <cstdint>
#include <cstring>
#include <utility>

extern "C" {
PyAPI_FUNC(PyObject*) _PyDict_NewPresized(Py_ssize_t);
}

namespace mason::layout {

#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030E0000 && !defined(Py_GIL_DISABLED) && !defined(PYPY_VERSION)
#define MASON_KNOWN_LAYOUT 1
#else
#define MASON_KNOWN_LAYOUT 0
#endif

// Whether the layout below was seen to hold in this process.
inline bool fast = false;

// A view of an instance's inline values: `size` attributes are set, the i-th of them is values[order(i)].
struct Values {
    PyObject** values = nullptr;
    const uint8_t* order_start = nullptr;
    int size = 0;
    int order(int i) const {
#if PY_VERSION_HEX < 0x030D0000
        return order_start[-i];
#else
        return order_start[i];
#endif
    }
};

#if MASON_KNOWN_LAYOUT

struct Keys {  // struct _dictkeysobject up to its entries
    Py_ssize_t refcnt;
    uint8_t log2_size;
    uint8_t log2_index_bytes;
    uint8_t kind;  // 0 general, 1 unicode, 2 split
    uint32_t version;
    Py_ssize_t usable;
    Py_ssize_t nentries;
    char indices[1];
};

struct UnicodeEntry {
    PyObject* key;
    PyObject* value;
};

inline Keys* shared_keys(PyTypeObject* type) {
    return reinterpret_cast<Keys*>(reinterpret_cast<PyHeapTypeObject*>(type)->ht_cached_keys);
}

inline UnicodeEntry* entries(Keys* keys) {
    return reinterpret_cast<UnicodeEntry*>(keys->indices + (size_t(1) << keys->log2_index_bytes));
}

inline bool has_inline_layout(PyTypeObject* type) {
#if PY_VERSION_HEX < 0x030D0000
    return (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) && (type->tp_flags & Py_TPFLAGS_HEAPTYPE);
#else
    return (type->tp_flags & Py_TPFLAGS_INLINE_VALUES) && (type->tp_flags & Py_TPFLAGS_HEAPTYPE);
#endif
}

// The start of the inline values, or null when the instance has a dictionary of its own.
inline PyObject** values_of(PyObject* object) {
#if PY_VERSION_HEX < 0x030C0000
    return reinterpret_cast<PyObject***>(object)[-4];
#elif PY_VERSION_HEX < 0x030D0000
    char* tagged = reinterpret_cast<char**>(object)[-3];
    return (reinterpret_cast<uintptr_t>(tagged) & 1) ? reinterpret_cast<PyObject**>(tagged + 1) : nullptr;
#else
    if (reinterpret_cast<PyObject**>(object)[-3] != nullptr) return nullptr;
    uint8_t* head = reinterpret_cast<uint8_t*>(object) + sizeof(PyObject);
    return head[3] ? reinterpret_cast<PyObject**>(head + 8) : nullptr;
#endif
}

inline void view_values(PyObject** values, Values& out) {
    out.values = values;
#if PY_VERSION_HEX < 0x030D0000
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(values);
    out.size = bytes[-2];
    out.order_start = bytes - 3;
#else
    const uint8_t* head = reinterpret_cast<const uint8_t*>(values) - 8;
    out.size = head[1];
    out.order_start = reinterpret_cast<const uint8_t*>(values + head[0]);
#endif
}

// Whether the attributes lie in inline values; fills `out`.
inline bool inline_values(PyObject* object, Values& out) {
    if (!fast || !has_inline_layout(Py_TYPE(object))) return false;
    PyObject** values = values_of(object);
    if (values == nullptr) return false;
    view_values(values, out);
    return true;
}

// Whether instances of the class have a managed dictionary, and its place is known.
inline bool has_managed_dict(PyTypeObject* type) { return fast && (type->tp_flags & Py_TPFLAGS_MANAGED_DICT); }

// The dictionary of an instance of such a class that was made already (borrowed), or null.
inline PyObject* managed_dict(PyObject* object) {
#if PY_VERSION_HEX < 0x030C0000
    return reinterpret_cast<PyObject**>(object)[-3];
#elif PY_VERSION_HEX < 0x030D0000
    PyObject* dict = reinterpret_cast<PyObject**>(object)[-3];
    return (reinterpret_cast<uintptr_t>(dict) & 1) ? nullptr : dict;
#else
    return reinterpret_cast<PyObject**>(object)[-3];
#endif
}

inline PyObject* made_dict(PyObject* object) { return has_managed_dict(Py_TYPE(object)) ? managed_dict(object) : nullptr; }

// Whether the attributes lie in inline values, or in a dictionary that was made around the same array. For reading only.
inline bool attribute_values(PyObject* object, Values& out) {
    if (inline_values(object, out)) return true;
    PyDictObject* dict = reinterpret_cast<PyDictObject*>(made_dict(object));
    if (dict == nullptr || dict->ma_values == nullptr || !(Py_TYPE(object)->tp_flags & Py_TPFLAGS_HEAPTYPE)) return false;
    if (reinterpret_cast<Keys*>(dict->ma_keys) != shared_keys(Py_TYPE(object))) return false;
    PyObject** values = reinterpret_cast<PyObject**>(dict->ma_values);
#if PY_VERSION_HEX >= 0x030D0000
    ++values;  // behind a head of eight bytes
#endif
    view_values(values, out);
    return true;
}

// The next entry of a dictionary, as PyDict_Next gives it.
inline bool next(PyObject* dict, Py_ssize_t& position, PyObject*& key, PyObject*& value) {
    PyDictObject* table = reinterpret_cast<PyDictObject*>(dict);
    Keys* keys = reinterpret_cast<Keys*>(table->ma_keys);
    if (!fast || keys->kind != 1) return PyDict_Next(dict, &position, &key, &value);
    for (UnicodeEntry* entry = entries(keys) + position; position < keys->nentries; ++entry) {
        ++position;
        if (entry->value == nullptr) continue;
        key = entry->key;
        value = entry->value;
        return true;
    }
    return false;
}

// Whether every key of the dictionary is a str, when that can be told without a look at the keys.
inline bool surely_text_keys(PyObject* dict) {
    if (!fast) return false;
    Keys* keys = reinterpret_cast<Keys*>(reinterpret_cast<PyDictObject*>(dict)->ma_keys);
    return keys->kind != 0;
}

// Whether the dictionary holds exactly these str keys, in this order and without gaps.
inline bool has_keys(PyObject* dict, PyObject* const* keys, Py_ssize_t count, Py_ssize_t step) {
    PyDictObject* d = reinterpret_cast<PyDictObject*>(dict);
    Keys* table = reinterpret_cast<Keys*>(d->ma_keys);
    if (d->ma_values != nullptr || table->kind != 1 || table->nentries != count || d->ma_used != count) return false;
    UnicodeEntry* at = entries(table);
    for (Py_ssize_t i = 0; i < count; ++i)
        if (at[i].key != keys[i * step] || at[i].value == nullptr) return false;
    return true;
}

// A copy of a dictionary, whose table is copied as it is, with other values (stolen, every `step`-th) under its keys;
// null without an error when the copy is laid out in another way. An empty place is left in `values`.
inline PyObject* copy_with(PyObject* dict, PyObject** values, Py_ssize_t count, Py_ssize_t step) {
    PyObject* made = PyDict_Copy(dict);
    if (made == nullptr) return nullptr;
    Keys* table = reinterpret_cast<Keys*>(reinterpret_cast<PyDictObject*>(made)->ma_keys);
    if (reinterpret_cast<PyDictObject*>(made)->ma_values != nullptr || table->kind != 1 || table->nentries != count) {
        Py_DECREF(made);
        return nullptr;
    }
    UnicodeEntry* at = entries(table);
    bool tracked = false;
    for (Py_ssize_t i = 0; i < count; ++i) {
        PyObject* value = std::exchange(values[i * step], nullptr);
        Py_DECREF(std::exchange(at[i].value, value));
        tracked |= PyObject_IS_GC(value);
    }
    if (tracked && !PyObject_GC_IsTracked(made)) PyObject_GC_Track(made);
    return made;
}

inline PyObject* key_at(PyTypeObject* type, int index) { return entries(shared_keys(type))[index].key; }

// The place of `name` (by identity) among the shared keys of the class, or -1.
inline int place_of(PyTypeObject* type, PyObject* name) {
    if (!fast || !has_inline_layout(type)) return -1;
    Keys* keys = shared_keys(type);
    if (keys == nullptr || keys->nentries > 250) return -1;
    for (Py_ssize_t i = 0; i < keys->nentries; ++i)
        if (entries(keys)[i].key == name) return int(i);
    return -1;
}

// Stores a value (stolen) at a place that is still empty.
inline void store(PyObject** values, int place, PyObject* value) {
    values[place] = value;
#if PY_VERSION_HEX < 0x030D0000
    uint8_t* size = reinterpret_cast<uint8_t*>(values) - 2;
    ++*size;
    size[-*size] = uint8_t(place);
#else
    uint8_t* head = reinterpret_cast<uint8_t*>(values) - 8;
    reinterpret_cast<uint8_t*>(values + head[0])[head[1]] = uint8_t(place);
    ++head[1];
#endif
}

// Stores the attributes of an instance that has none yet (stolen), in this order, at these places.
inline void store_all(PyObject** values, const uint8_t* places, PyObject** items, int count) {
#if PY_VERSION_HEX < 0x030D0000
    uint8_t* size = reinterpret_cast<uint8_t*>(values) - 2;
    for (int i = 0; i < count; ++i) {
        values[places[i]] = std::exchange(items[i], nullptr);
        size[-1 - i] = places[i];
    }
    *size = uint8_t(count);
#else
    uint8_t* head = reinterpret_cast<uint8_t*>(values) - 8;
    uint8_t* order = reinterpret_cast<uint8_t*>(values + head[0]);
    for (int i = 0; i < count; ++i) {
        values[places[i]] = std::exchange(items[i], nullptr);
        order[i] = places[i];
    }
    head[1] = uint8_t(count);
#endif
}

#else

inline bool has_keys(PyObject*, PyObject* const*, Py_ssize_t, Py_ssize_t) { return false; }
inline PyObject* copy_with(PyObject*, PyObject**, Py_ssize_t, Py_ssize_t) { return nullptr; }
inline void store_all(PyObject**, const uint8_t*, PyObject**, int) {}
inline bool has_inline_layout(PyTypeObject*) { return false; }
inline bool inline_values(PyObject*, Values&) { return false; }
inline bool attribute_values(PyObject*, Values&) { return false; }
inline bool has_managed_dict(PyTypeObject*) { return false; }
inline PyObject* managed_dict(PyObject*) { return nullptr; }
inline PyObject* made_dict(PyObject*) { return nullptr; }
inline bool next(PyObject* dict, Py_ssize_t& position, PyObject*& key, PyObject*& value) {
    return PyDict_Next(dict, &position, &key, &value);
}
inline bool surely_text_keys(PyObject*) { return false; }
inline PyObject* key_at(PyTypeObject*, int) { return nullptr; }
inline int place_of(PyTypeObject*, PyObject*) { return -1; }
inline void store(PyObject**, int, PyObject* value) { Py_DECREF(value); }

#endif

// The dictionary of an instance (borrowed), or null when it has none yet; without the layout one may be made of it.
inline PyObject* existing_dict(PyObject* object) {
    if (has_managed_dict(Py_TYPE(object))) return managed_dict(object);
    PyObject** place = _PyObject_GetDictPtr(object);
    return place == nullptr ? nullptr : *place;
}

// The value of an int of at most two digits (60 bits), read without a call; false for the others.
inline bool small_int(PyObject* number, int64_t& value) {
#if PY_VERSION_HEX >= 0x030E0000
    if (!PyUnstable_Long_IsCompact(reinterpret_cast<PyLongObject*>(number))) return false;
    value = PyUnstable_Long_CompactValue(reinterpret_cast<PyLongObject*>(number));
    return true;
#else
#if PY_VERSION_HEX >= 0x030C0000
    const auto& object = reinterpret_cast<PyLongObject*>(number)->long_value;
    const size_t count = object.lv_tag >> 3;
    const int64_t sign = 1 - int64_t(object.lv_tag & 3);
#else
    const auto& object = *reinterpret_cast<PyLongObject*>(number);
    const size_t count = size_t(Py_ABS(Py_SIZE(number)));
    const int64_t sign = Py_SIZE(number) < 0 ? -1 : Py_SIZE(number) > 0;
#endif
    if (count > 2) return false;
    value = sign * (count < 2 ? int64_t(object.ob_digit[0]) : object.ob_digit[0] | int64_t(object.ob_digit[1]) << PyLong_SHIFT);
    return true;
#endif
}

// The characters of a compact ASCII str.
inline const unsigned char* ascii(PyObject* string) {
    return reinterpret_cast<const unsigned char*>(reinterpret_cast<PyASCIIObject*>(string) + 1);
}

// Until 3.12 an extension can make a str whose characters lie elsewhere until somebody asks for them.
inline void ready(PyObject* string) {
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(string) < 0) throw PythonError{};
#else
    (void)string;
#endif
}

// The UTF-8 that Python keeps of a str once somebody asked for it, or null. Such a str holds no surrogate.
inline const unsigned char* kept_utf8(PyObject* string, size_t& size) {
    if (!fast || !PyUnicode_IS_COMPACT(string)) return nullptr;
    PyCompactUnicodeObject* object = reinterpret_cast<PyCompactUnicodeObject*>(string);
    size = size_t(object->utf8_length);
    return reinterpret_cast<const unsigned char*>(object->utf8);
}

// A Decimal of at most nineteen digits, as libmpdec keeps it: the number is digits * 10**exponent.
struct SmallDecimal {
    bool negative;
    uint64_t digits;
    int64_t exponent;
};

#if MASON_KNOWN_LAYOUT
struct DecimalObject {
    PyObject_HEAD
    Py_hash_t hash;
    uint8_t flags;  // 1 for a minus, 2 to 8 for what is not finite
    Py_ssize_t exponent, digits, words, room;
    uint64_t* data;  // words of nineteen digits, the lowest first
    uint64_t first[4];
};
#endif

// Whether `type` was seen to be laid out like that; asked once per class.
bool knows_decimal(PyTypeObject* type);
// Reads a Decimal of such a type; false for one that is long or not finite.
inline bool small_decimal(PyObject* object, SmallDecimal& out) {
#if MASON_KNOWN_LAYOUT
    const DecimalObject* decimal = reinterpret_cast<DecimalObject*>(object);
    if ((decimal->flags & 0xE) || decimal->words != 1) return false;
    out = {(decimal->flags & 1) != 0, decimal->data[0], decimal->exponent};
    return true;
#else
    (void)object, (void)out;
    return false;
#endif
}

inline PyObject* new_dict(Py_ssize_t size) {
#if MASON_KNOWN_LAYOUT
    return size > 5 ? _PyDict_NewPresized(size) : PyDict_New();
#else
    (void)size;
    return PyDict_New();
#endif
}

// The next element of a set (borrowed), or null at its end; `place` is one of the table.
inline PyObject* next_in_set(PyObject* holder, Py_ssize_t& place) {
    PySetObject* set = reinterpret_cast<PySetObject*>(holder);
    while (place <= set->mask) {
        setentry* entry = &set->table[place++];
        if (entry->key != nullptr && entry->hash != -1) return entry->key;
    }
    return nullptr;
}

// The callback (borrowed) of that type among those of the weak references to a set, or null.
inline PyObject* weak_callback(PyObject* set, PyTypeObject* type) {
    PyObject* each = reinterpret_cast<PySetObject*>(set)->weakreflist;
    while (each != nullptr) {
        PyWeakReference* reference = reinterpret_cast<PyWeakReference*>(each);
        if (reference->wr_callback != nullptr && Py_IS_TYPE(reference->wr_callback, type)) return reference->wr_callback;
        each = reinterpret_cast<PyObject*>(reference->wr_next);
    }
    return nullptr;
}

// A number that changes whenever the class does; 0 while it has none.
inline unsigned version_tag(PyTypeObject* type) { return type->tp_version_tag; }
// CPython gives a class its number when somebody looks for an attribute of it.
inline void give_version_tag(PyTypeObject* type, PyObject* name) { _PyType_Lookup(type, name); }

inline void forget_hash(PyObject* frozenset) { reinterpret_cast<PySetObject*>(frozenset)->hash = -1; }

// Fills an empty frozenset that others refer to already, which no public function does: the initialiser of set
// works on the layout that both share. The hash that Python code may have cached meanwhile is forgotten.
inline int fill_frozenset(PyObject* set, PyObject* list) {
    PyObject* arguments = PyTuple_Pack(1, list);
    if (arguments == nullptr) return -1;
    int status = PySet_Type.tp_init(set, arguments, nullptr);
    Py_DECREF(arguments);
    forget_hash(set);
    return status;
}

// Compares what the functions above see with what Python sees; sets `fast`.
void self_test();

}  // namespace mason::layout
