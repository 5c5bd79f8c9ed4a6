// Strategy: keys are the one place where a file's values make Python compute: hashing a tuple recurses in C,
// a shared tuple is hashed once for every path to it, and keys of one hash make a table quadratic. So a key is
// measured before it is hashed, and equal hashes are counted. Writers measure as readers do: what is written
// with default limits is read with default limits.
#pragma once

#include "cpython_layout.hpp"
#include "ref.hpp"

#include <algorithm>
#include <vector>

namespace mason {

struct Limits {
    Py_ssize_t depth = -1, nodes = -1, bytes = -1;
    double seconds = -1;
    Py_ssize_t digits = 4300, key_nodes = 10000, key_depth = 100, collisions = 256;
};

class KeyMeasure {
  public:
    explicit KeyMeasure(const Limits& limits) : limits_(limits) {}

    // Null, or why the key may not be hashed. Counts into the document's total.
    const char* refuse(PyObject* key) {
        if (!PyTuple_CheckExact(key) && !PyFrozenSet_CheckExact(key)) return nullptr;
        struct Level {
            PyObject* holder;
            Py_ssize_t place;
        };
        std::vector<Level> levels{{key, 0}};
        Py_ssize_t nodes = 1;
        while (!levels.empty()) {
            Level& level = levels.back();
            PyObject* item = next(level.holder, level.place);
            if (item == nullptr) {
                levels.pop_back();
                continue;
            }
            if (limits_.key_nodes >= 0 && ++nodes > limits_.key_nodes) return "a key has too many parts to be hashed";
            if (PyTuple_CheckExact(item) || PyFrozenSet_CheckExact(item)) {
                if (limits_.key_depth >= 0 && Py_ssize_t(levels.size()) >= limits_.key_depth)
                    return "a key is nested too deeply to be hashed";
                levels.push_back({item, 0});
            }
        }
        total_ += nodes;
        return nullptr;
    }
    // All hashed parts of a document, against its size: a small shared key may be used often, a big one may not.
    bool too_much(size_t bytes) const { return limits_.key_nodes >= 0 && total_ > 1000000 + 64 * int64_t(bytes); }

    // Whether the hash of a key is chosen by chance or told by its value alone.
    static bool counted(PyObject* key) {
        if (PyUnicode_CheckExact(key) || PyBytes_CheckExact(key)) return false;
        if (!PyLong_CheckExact(key)) return true;
        int overflow = 0;
        long long value = PyLong_AsLongLongAndOverflow(key, &overflow);
        return overflow != 0 || value > (1LL << 60) || value < -(1LL << 60);  // below 2**61-1 no two are equal
    }
    bool collide(std::vector<Py_hash_t>& hashes) const {
        if (limits_.collisions < 0 || Py_ssize_t(hashes.size()) <= limits_.collisions) return false;
        std::sort(hashes.begin(), hashes.end());
        size_t width = size_t(limits_.collisions);
        for (size_t i = width; i < hashes.size(); ++i)
            if (hashes[i] == hashes[i - width]) return true;
        return false;
    }

    // The next item of a tuple or frozenset (borrowed), or null at its end.
    static PyObject* next(PyObject* holder, Py_ssize_t& place) {
        if (PyTuple_Check(holder))
            return place < PyTuple_GET_SIZE(holder) ? PyTuple_GET_ITEM(holder, place++) : nullptr;
        PySetObject* set = reinterpret_cast<PySetObject*>(holder);
        while (place <= set->mask) {
            setentry* entry = &set->table[place++];
            if (entry->key != nullptr && entry->hash != -1) return entry->key;
        }
        return nullptr;
    }

  private:
    const Limits& limits_;
    int64_t total_ = 0;
};

}  // namespace mason
