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

class KeyMeasure {
  public:
    explicit KeyMeasure(const Limits& limits) : limits_(limits) {}
    virtual ~KeyMeasure() = default;

    // Null, or why the key may not be hashed. Counts into the document's total.
    const char* refuse(PyObject* key) {
        last_nodes_ = 1;
        own_ = false;
        note(key);
        std::vector<Level> levels;
        if (!descend(key, levels)) return nullptr;
        Py_ssize_t nodes = 1;
        while (!levels.empty()) {
            Level& level = levels.back();
            if (level.place == level.inside.size()) {
                levels.pop_back();
                continue;
            }
            PyObject* item = level.inside[level.place++];
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
    // Parts of the key that was measured last.
    Py_ssize_t last_nodes() const { return last_nodes_; }

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
    };
    // Null, or why a set or dictionary of keys with these hashes would be slow beyond measure.
    const char* collide(std::vector<Hashed>& keys, bool set) {
        if (weigh_equal(keys)) return "has keys of the same hash that take too long to compare";
        if (limits_.collisions < 0 || Py_ssize_t(keys.size()) <= limits_.collisions) return nullptr;
        return (set ? probes_in_set(keys) : probes_in_dict(keys)) ? "has keys that collide, which makes it slow beyond measure" : nullptr;
    }

    // The next item of a tuple or frozenset (borrowed), or null at its end.
    static PyObject* next(PyObject* holder, Py_ssize_t& place) {
        if (PyTuple_Check(holder)) return place < PyTuple_GET_SIZE(holder) ? PyTuple_GET_ITEM(holder, place++) : nullptr;
        PySetObject* set = reinterpret_cast<PySetObject*>(holder);
        while (place <= set->mask) {
            setentry* entry = &set->table[place++];
            if (entry->key != nullptr && entry->hash != -1) return entry->key;
        }
        return nullptr;
    }

    // What hashing the object looks into (borrowed); false for what is no holder of hashed parts. Runs no code.
    bool hashed_parts(PyObject* object, std::vector<PyObject*>& found) {
        if (PyTuple_Check(object) || PyFrozenSet_Check(object)) {
            Py_ssize_t place = 0;
            while (PyObject* item = next(object, place)) found.push_back(item);
            return true;
        }
        const Plan* plan = hashed_by_fields(object);
        if (plan != nullptr) attributes(object, plan, found);
        return plan != nullptr;
    }
    bool is_holder(PyObject* object) {
        return PyTuple_Check(object) || PyFrozenSet_Check(object) || hashed_by_fields(object) != nullptr;
    }

    // All that an object refers to (borrowed), but classes, functions and modules. Runs no code.
    static void reach(PyObject* object, std::vector<PyObject*>& found) {
        traverseproc traverse = Py_TYPE(object)->tp_traverse;
        if (traverse == nullptr || !PyObject_IS_GC(object) || PyType_Check(object)) return;
        traverse(object,
            [](PyObject* part, void* list) {
                if (!PyType_Check(part) && !PyFunction_Check(part) && !PyModule_Check(part))
                    static_cast<std::vector<PyObject*>*>(list)->push_back(part);
                return 0;
            },
            &found);
    }

    // The attributes of an instance (borrowed), without a look at what they are.
    static void attributes(PyObject* object, const Plan* plan, std::vector<PyObject*>& found) {
        for (const Field& slot : plan->body->slots)
            if (PyObject* value = *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + slot.offset)) found.push_back(value);
        if (!plan->body->has_dict) return;
        layout::Values values;
        if (layout::inline_values(object, values)) {
            for (int i = 0; i < values.size; ++i) found.push_back(values.values[values.order(i)]);
            return;
        }
        Ref dict = Ref::check(PyObject_GenericGetDict(object, nullptr));
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(dict.get(), &position, &key, &value)) found.push_back(value);
    }

  protected:
    // The plan of a class whose instances the document has (borrowed), or null. Runs no code.
    virtual const Plan* known_plan(PyTypeObject* type) = 0;

  private:
    struct Level {
        std::vector<PyObject*> inside;  // borrowed: nothing runs while a key is measured
        size_t place = 0;
    };

    const Plan* hashed_by_fields(PyObject* object) {
        PyTypeObject* type = Py_TYPE(object);
        if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) || type->tp_hash == PyBaseObject_Type.tp_hash) return nullptr;
        const Plan* plan = known_plan(type);
        return plan != nullptr && plan->kind == Kind::Fields ? plan : nullptr;
    }
    bool descend(PyObject* object, std::vector<Level>& levels) {
        Level level;
        if (!hashed_parts(object, level.inside)) return false;
        levels.push_back(std::move(level));
        return true;
    }
    void note(PyObject* key) {
        PyTypeObject* type = Py_TYPE(key);
        own_ |= (type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_richcompare != PyBaseObject_Type.tp_richcompare;
        if (PyLong_CheckExact(key)) {
            int64_t small;
            if (!layout::small_int(key, small)) long_int_ |= _PyLong_NumBits(key) > 14285;
        } else if (!decimal_ && std::strcmp(type->tp_name, "decimal.Decimal") == 0) {
            decimal_ = true;
        }
    }

    // Keys of one hash are compared in full, each with all before it; true when that may take for ever.
    bool weigh_equal(std::vector<Hashed>& keys) {
        std::vector<const Hashed*> heavy;
        for (const Hashed& key : keys)
            if (key.nodes > 8 || !PyUnicode_CheckExact(key.key.get())) heavy.push_back(&key);
        std::sort(heavy.begin(), heavy.end(), [](const Hashed* a, const Hashed* b) { return a->hash < b->hash; });
        sizes_.clear();
        for (size_t i = 1, run = 0; i < heavy.size(); ++i) {
            run = heavy[i]->hash == heavy[i - 1]->hash ? run + 1 : 0;
            if (run == 0) continue;
            total_ += heavy[i]->nodes * Py_ssize_t(run);
            if (limits_.key_nodes >= 0 && (explodes(heavy[i - 1]->key.get()) || explodes(heavy[i]->key.get()))) return true;
        }
        return false;
    }

    // Whether an object holds much more than there is, when what is shared counts as often as it is met: an `__eq__`
    // that looks into lists compares it that often. A cycle counts once; Python ends it by RecursionError.
    bool explodes(PyObject* key) {
        struct Open {
            PyObject* object;
            std::vector<PyObject*> inside;
            size_t place = 0;
            double size = 1;
        };
        std::vector<Open> line;
        auto enter = [&](PyObject* object) {
            Open open{object, {}};
            reach(object, open.inside);
            sizes_[object] = 1;
            line.push_back(std::move(open));
            ++total_;
        };
        if (sizes_.count(key) == 0) enter(key);
        while (!line.empty()) {
            Open& open = line.back();
            if (open.place == open.inside.size()) {
                double size = sizes_[open.object] = open.size;
                line.pop_back();
                if (!line.empty()) line.back().size += size;
                continue;
            }
            PyObject* part = open.inside[open.place++];
            auto known = sizes_.find(part);
            if (known != sizes_.end())
                open.size += known->second;
            else
                enter(part);
        }
        return sizes_[key] > double(limits_.key_nodes) + 64 * double(sizes_.size());
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
    std::unordered_map<PyObject*, double> sizes_;  // of what the keys of one container reach
};

}  // namespace mason
