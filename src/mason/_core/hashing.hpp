// Strategy: keys are the one place where a file's values make Python compute: hashing a tuple recurses in C, a
// shared tuple is hashed once for every path to it, and keys can be chosen so that a hash table turns quadratic. So
// a key is measured before it is hashed, and what a table would do is played through on a bit array before the table
// is filled. Writers measure as readers do: what is written with default limits is read with default limits.
#pragma once

#include "plan.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace mason {

struct Limits {
    Py_ssize_t depth = -1, nodes = -1, bytes = -1;
    double seconds = -1;
    Py_ssize_t digits = 4300, key_nodes = 10000, key_depth = 100, collisions = 256;
};

// Chains of these, each directly in the next, are freed on the C stack (CPython has no trashcan for them).
inline bool frees_by_recursion(PyObject* object) {
    const char* name = Py_TYPE(object)->tp_name;
    return std::strcmp(name, "collections.deque") == 0 || std::strcmp(name, "collections.defaultdict") == 0;
}

// Pauses the cyclic collector while a graph grows in one C call. Only 3.11 collects inside such a call; since 3.12
// the collector runs from the evaluation loop only (performance notes in ARCHITECTURE.md).
class Collector {
  public:
    Collector() { pause(); }
    ~Collector() { resume(); }
    void pause() {
#if PY_VERSION_HEX < 0x030C0000
        paused_ = PyGC_Disable() == 1;
#endif
    }
    void resume() {
        if (paused_) PyGC_Enable();
        paused_ = false;
    }

  private:
    bool paused_ = false;
};

class KeyMeasure {
  public:
    explicit KeyMeasure(const Limits& limits) : limits_(limits) {}
    virtual ~KeyMeasure() = default;

    // Null, or why the key may not be hashed. Counts into the document's total.
    const char* refuse(PyObject* key) {
        last_nodes_ = 1;
        own_ = false;
        note(key);
        if (is_atom(key)) return nullptr;
        if (PyTuple_CheckExact(key) && PyTuple_GET_SIZE(key) < 8 && limits_.key_nodes > 8) {  // of atoms, as most are
            Py_ssize_t place = 0;
            while (place < PyTuple_GET_SIZE(key) && is_atom(PyTuple_GET_ITEM(key, place))) note(PyTuple_GET_ITEM(key, place++));
            if (place == PyTuple_GET_SIZE(key)) {
                total_ += last_nodes_ = 1 + place;
                return nullptr;
            }
        }
        std::vector<Level> levels;
        if (!descend(key, levels)) return nullptr;
        Py_ssize_t nodes = 1;
        while (!levels.empty()) {
            Level& level = levels.back();
            if (level.place == level.inside.size()) {
                levels.pop_back();
                continue;
            }
            PyObject* item = level.inside[level.place++].get();
            note(item);
            if (limits_.key_nodes >= 0 && ++nodes > limits_.key_nodes) return "a key has too many parts to be hashed";
            if (limits_.key_depth >= 0 && Py_ssize_t(levels.size()) >= limits_.key_depth && is_holder(item))
                return "a key is nested too deeply to be hashed";
            descend(item, levels);
        }
        total_ += nodes;
        last_nodes_ = nodes;
        return nullptr;
    }
    // All hashed parts of a document, against its size: a small shared key may be used often, a big one may not.
    bool too_much(size_t bytes) const { return limits_.key_nodes >= 0 && total_ > 1000000 + 64 * int64_t(bytes); }

    // Before the keys of one container, and after them: comparing a Decimal with an int of the same hash turns the
    // int into digits, which is quadratic in their number.
    void begin() { decimal_ = long_int_ = false; }
    const char* mixed() const {
        return decimal_ && long_int_ ? "the keys of one container are decimals and ints of more than 4300 digits" : nullptr;
    }

    // Whether the hash of the key that was measured last has to be known before the table is filled.
    bool counts(bool many) const { return many || last_nodes_ > 8 || own_; }

    struct Hashed {
        Py_hash_t hash;
        Py_ssize_t nodes;
        Ref key;
        bool own;  // comparing it may run Python code
    };
    Hashed hashed(Py_hash_t hash, PyObject* key) const { return {hash, last_nodes_, Ref::share(key), own_}; }
    // Null, or why a set or dictionary of keys with these hashes would be slow beyond measure.
    const char* collide(const std::vector<Hashed>& keys, bool set) {
        if (weigh_equal(keys)) return "has keys of the same hash that take too long to compare";
        if (limits_.collisions < 0 || Py_ssize_t(keys.size()) <= limits_.collisions) return nullptr;
        return (set ? probes_in_set(keys) : probes_in_dict(keys)) ? "has keys that collide, which makes it slow beyond measure" : nullptr;
    }

    // The next item of a tuple or frozenset (borrowed), or null at its end.
    static PyObject* next(PyObject* holder, Py_ssize_t& place) {
        if (PyTuple_Check(holder)) return place < PyTuple_GET_SIZE(holder) ? PyTuple_GET_ITEM(holder, place++) : nullptr;
        return layout::next_in_set(holder, place);
    }

    // What hashing the object looks into; false for what is no holder of hashed parts. A class with a `__hash__` in
    // Python of its own may look anywhere: what it holds is no part, but for the items of a container. Looking for an
    // attribute may run code (a key of the instance's dictionary may be no str), so what was found before is owned.
    bool hashed_parts(PyObject* object, std::vector<Ref>& found) {
        if (PyTuple_Check(object) || PyFrozenSet_Check(object)) {
            Py_ssize_t place = 0;
            while (PyObject* item = next(object, place)) found.push_back(Ref::share(item));
            return true;
        }
        PyTypeObject* type = Py_TYPE(object);
        if (!own_code(type)) return false;
        if (PyList_Check(object)) {
            for (Py_ssize_t i = 0; i < PyList_GET_SIZE(object); ++i) found.push_back(Ref::share(PyList_GET_ITEM(object, i)));
            return true;
        }
        if (PyDict_Check(object)) {
            PyObject *key, *value;
            Py_ssize_t position = 0;
            while (PyDict_Next(object, &position, &key, &value)) {
                found.push_back(Ref::share(key));
                found.push_back(Ref::share(value));
            }
            return true;
        }
        const Plan* plan = hashed_by_fields(type);
        if (plan == nullptr) return false;
        Ref kept = Ref::share(reinterpret_cast<PyObject*>(const_cast<Plan*>(plan)));
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(plan->hashed); ++i)
            if (PyObject* value = attribute_of(object, plan, PyTuple_GET_ITEM(plan->hashed, i))) found.push_back(Ref::share(value));
        return true;
    }
    bool is_holder(PyObject* object) {
        if (PyTuple_Check(object) || PyFrozenSet_Check(object)) return true;
        PyTypeObject* type = Py_TYPE(object);
        return own_code(type) && (PyList_Check(object) || PyDict_Check(object) || hashed_by_fields(type) != nullptr);
    }
    // Whether the object is of a type in C that holds nothing which is hashed.
    static bool is_atom(PyObject* object) {
        PyTypeObject* type = Py_TYPE(object);
        return !(type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type != &PyTuple_Type && type != &PyFrozenSet_Type;
    }
    // Whether hashing or comparing objects of the type may run Python code, or code of a type that we do not know.
    static bool own_code(PyTypeObject* type) {
        if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return false;
        const PyTypeObject* base = type->tp_base;
        while (base->tp_flags & Py_TPFLAGS_HEAPTYPE) base = base->tp_base;
        return type->tp_hash != base->tp_hash || type->tp_richcompare != base->tp_richcompare;
    }
    // Whether the code is written by hand, for a class of the document; it may look at all that the object reaches.
    bool looks_around(PyObject* object) {
        PyTypeObject* type = Py_TYPE(object);
        if (!own_code(type)) return false;
        const Plan* plan = known_plan(type);
        return plan != nullptr && plan->hashed == Py_None && plan->kind != Kind::Enum;
    }

    // All that an object refers to (borrowed), but classes, functions and modules. Runs no code while the collector is
    // paused: without the layout a dictionary may have to be made.
    static void reach(PyObject* object, std::vector<PyObject*>& found) {
        PyTypeObject* type = Py_TYPE(object);
        traverseproc traverse = type->tp_traverse;
        if (traverse == nullptr || !PyObject_IS_GC(object) || PyType_Check(object)) return;
        traverse(object,
            [](PyObject* part, void* list) {
                if (!PyType_Check(part) && !PyFunction_Check(part) && !PyModule_Check(part))
                    static_cast<std::vector<PyObject*>*>(list)->push_back(part);
                return 0;
            },
            &found);
        // The dictionary of an instance stands for the instance, whether it was made yet or not.
        if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return;
        PyObject* held = layout::existing_dict(object);
        auto own = held == nullptr ? found.end() : std::find(found.begin(), found.end(), held);
        if (own == found.end()) return;
        PyObject *key, *value;
        found.erase(own);
        Py_ssize_t position = 0;
        while (PyDict_Next(held, &position, &key, &value)) found.push_back(value);
    }

    // An attribute of an instance (borrowed), or null; without a look at what the class has in its place.
    static PyObject* attribute_of(PyObject* object, const Plan* plan, PyObject* name) {
        if (const Field* slot = plan->slot_named(name))
            return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + slot->offset);
        if (!plan->body->has_dict) return nullptr;
        layout::Values values;
        if (layout::inline_values(object, values)) {
            for (int i = 0; i < values.size; ++i) {
                PyObject* key = layout::key_at(Py_TYPE(object), values.order(i));
                if (key == name || PyUnicode_Compare(key, name) == 0) return values.values[values.order(i)];
            }
            return nullptr;
        }
        Ref dict = Ref::check(PyObject_GenericGetDict(object, nullptr));
        PyObject* value = PyDict_GetItemWithError(dict.get(), name);
        if (value == nullptr && PyErr_Occurred()) throw PythonError{};
        return value;
    }

  protected:
    // The plan of a class whose instances the document or the graph has (borrowed), or null. A dump may have to make it.
    virtual const Plan* known_plan(PyTypeObject* type) = 0;

  private:
    struct Level {
        std::vector<Ref> inside;
        size_t place = 0;
    };

    const Plan* hashed_by_fields(PyTypeObject* type) {
        const Plan* plan = known_plan(type);
        return plan != nullptr && plan->hashed != Py_None ? plan : nullptr;
    }
    bool descend(PyObject* object, std::vector<Level>& levels) {
        Level level;
        if (!hashed_parts(object, level.inside)) return false;
        levels.push_back(std::move(level));
        return true;
    }
    void note(PyObject* key) {
        PyTypeObject* type = Py_TYPE(key);
        own_ |= own_code(type);
        if (PyLong_CheckExact(key)) {
            int64_t small;
            if (!layout::small_int(key, small)) long_int_ |= _PyLong_NumBits(key) > 14285;
        } else if (!decimal_ && std::strcmp(type->tp_name, "decimal.Decimal") == 0) {
            decimal_ = true;
        }
    }

    // Keys of one hash are compared in full, each with all before it; true when that may take for ever: when a key
    // holds much more than there is, what is shared counted as often as it is met. An `__eq__` that looks into lists
    // compares it that often. What is on a cycle counts once; an `__eq__` that went round ends in RecursionError.
    bool weigh_equal(const std::vector<Hashed>& keys) {
        std::vector<const Hashed*> heavy;
        for (const Hashed& key : keys)
            if (key.nodes > 8 || key.own) heavy.push_back(&key);
        std::sort(heavy.begin(), heavy.end(), [](const Hashed* a, const Hashed* b) { return a->hash < b->hash; });
        Collector paused;  // what is borrowed below stays where it is
        std::unordered_map<PyObject*, Size> sizes;
        std::vector<PyObject*> equal;
        for (size_t i = 1, run = 0; i < heavy.size(); ++i) {
            run = heavy[i]->hash == heavy[i - 1]->hash ? run + 1 : 0;
            if (run == 0) continue;
            total_ += heavy[i]->nodes * Py_ssize_t(run);
            for (const Hashed* key : {heavy[i - 1], heavy[i]}) {
                expand(key->key.get(), sizes);
                equal.push_back(key->key.get());
            }
        }
        for (PyObject* key : equal)
            if (limits_.key_nodes >= 0 && sizes[key].size > double(limits_.key_nodes) + 64 * double(sizes.size())) return true;
        return false;
    }

    struct Size {
        size_t index, low;
        bool open = true;
        double size = 1;
    };
    // The expanded size of all that an object reaches: a strongly connected component (Tarjan 1972) counts its objects
    // once, and each reference that leaves it as much as there is behind.
    void expand(PyObject* key, std::unordered_map<PyObject*, Size>& sizes) {
        struct Open {
            PyObject* object;
            std::vector<PyObject*> inside;
            size_t place = 0;
        };
        std::vector<Open> line;
        std::vector<PyObject*> waiting;
        auto enter = [&](PyObject* object) {
            Open open{object, {}};
            reach(object, open.inside);
            size_t index = sizes.size();
            sizes[object] = {index, index};
            waiting.push_back(object);
            line.push_back(std::move(open));
            ++total_;
        };
        if (sizes.count(key) == 0) enter(key);
        while (!line.empty()) {
            Open& open = line.back();
            if (open.place < open.inside.size()) {
                PyObject* part = open.inside[open.place++];
                auto known = sizes.find(part);
                if (known == sizes.end()) {
                    enter(part);
                    continue;
                }
                Size& mine = sizes[open.object];
                if (known->second.open)
                    mine.low = std::min(mine.low, known->second.low);
                else
                    mine.size += known->second.size;
                continue;
            }
            PyObject* object = open.object;
            line.pop_back();
            Size done = sizes[object];
            if (done.low == done.index) {  // the component is complete: all of it has the size of all of it
                size_t first = waiting.size();
                double total = 0;
                do total += sizes[waiting[--first]].size;
                while (waiting[first] != object);
                for (size_t i = first; i < waiting.size(); ++i) sizes[waiting[i]].size = total, sizes[waiting[i]].open = false;
                waiting.resize(first);
                done = sizes[object];
            }
            if (line.empty()) continue;
            Size& holder = sizes[line.back().object];
            if (done.open)
                holder.low = std::min(holder.low, done.low);
            else
                holder.size += done.size;
        }
    }

    // Open addressing as CPython's dictobject.c and setobject.c do it. Most keys need fewer than three looks.
    // Keys in even steps of a high power of two need some dozens, in sets (which look at ten in a row) some hundreds.
    static bool too_many(size_t looks, size_t keys, bool set) { return looks > (set ? 400 : 64) * keys + 10000; }
    bool probes_in_dict(const std::vector<Hashed>& keys) const {
        return plays_badly(keys, 8) || plays_badly(keys, size_t(1) << 17);  // grown from nothing, or made at size
    }
    bool plays_badly(const std::vector<Hashed>& keys, size_t most) const {
        size_t size = 8, looks = 0;
        while (size < most && size < (keys.size() * 3 + 1) / 2) size *= 2;
        std::vector<bool> taken(size);
        auto insert = [&](Py_hash_t hash) {
            size_t mask = size - 1, perturb = size_t(hash), i = perturb & mask;
            for (; taken[i]; ++looks) {
                perturb >>= 5;
                i = (i * 5 + perturb + 1) & mask;
                if (looks % 4096 == 0 && too_many(looks, keys.size(), false)) return false;
            }
            taken[i] = true;
            return true;
        };
        for (size_t n = 0; n < keys.size(); ++n) {
            if (n == size * 2 / 3) {
                while (size <= n * 3) size *= 2;
                taken.assign(size, false);
                for (size_t k = 0; k < n; ++k)
                    if (!insert(keys[k].hash)) return true;
            }
            if (!insert(keys[n].hash)) return true;
        }
        return too_many(looks, keys.size(), false);
    }
    bool probes_in_set(const std::vector<Hashed>& keys) const {
        constexpr size_t linear = 9;
        size_t size = 8, looks = 0;
        std::vector<bool> taken(size);
        auto insert = [&](Py_hash_t hash) {
            size_t mask = size - 1, perturb = size_t(hash), i = perturb & mask;
            for (;;) {
                size_t run = i + linear <= mask ? linear : 0;
                for (size_t k = 0; k <= run; ++k, ++looks)
                    if (!taken[i + k]) {
                        taken[i + k] = true;
                        return true;
                    }
                perturb >>= 5;
                i = (i * 5 + 1 + perturb) & mask;
                if (too_many(looks, keys.size(), true)) return false;
            }
        };
        for (size_t n = 0; n < keys.size(); ++n) {
            if (!insert(keys[n].hash)) return true;
            if ((n + 1) * 5 < (size - 1) * 3) continue;
            size_t want = n + 1 > 50000 ? (n + 1) * 2 : (n + 1) * 4;
            while (size <= want) size *= 2;
            taken.assign(size, false);
            for (size_t k = 0; k <= n; ++k)
                if (!insert(keys[k].hash)) return true;
        }
        return too_many(looks, keys.size(), true);
    }

    const Limits& limits_;
    int64_t total_ = 0;
    Py_ssize_t last_nodes_ = 1;
    bool decimal_ = false, long_int_ = false, own_ = false;
};

}  // namespace mason
