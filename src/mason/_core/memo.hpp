// Strategy: a container is written once; what is met a second time becomes a reference. Entries lie in the
// order of first visits, which is document order, so ids are handed out by one pass at the end. Only objects
// that more than one reference holds need an entry: a second path to an object is a second reference to it, or to
// what keeps it for another object (its `__dict__`, say), which therefore has an entry, too.
// Entries own their object, so that an address cannot be used again while the walk lasts.
#pragma once

#include "ref.hpp"

#include <cstdint>
#include <vector>

namespace mason {

struct Visit {
    PyObject* object;
    size_t start;        // output offset of its first byte
    size_t end = 0;      // output offset after its last byte; 0 while it is open
    uint32_t id = 0;     // counted from 1 at the end, 0 when it was met only once
    bool array = false;  // written as a bare array, which JSON must wrap to give it an id
    bool again = false;  // met a second time
    bool part = false;   // not written for itself: a dictionary or list in which an object keeps its content
};

class Memo {
  public:
    ~Memo() {
        for (Visit& visit : visits) Py_DECREF(visit.object);
    }
    // The place of the object's visit; `fresh` tells whether it was entered just now.
    uint32_t enter(PyObject* object, size_t start, bool& fresh) {
        if ((visits.size() + 1) * 2 > table_.size()) rehash();
        size_t mask = table_.size() - 1;
        for (size_t i = slot(object);; i = (i + 1) & mask) {
            uint32_t found = table_[i];
            if (found == 0) {
                visits.push_back(Visit{object, start});
                Py_INCREF(object);
                table_[i] = uint32_t(visits.size());
                fresh = true;
                return uint32_t(visits.size() - 1);
            }
            if (visits[found - 1].object == object) {
                fresh = false;
                return found - 1;
            }
        }
    }

    std::vector<Visit> visits;

  private:
    size_t slot(PyObject* object) const {
        uint64_t bits = uint64_t(reinterpret_cast<uintptr_t>(object)) >> 4;
        return size_t((bits * 0x9E3779B97F4A7C15ull) >> 20) & (table_.size() - 1);
    }
    void rehash() {
        if (visits.size() > 0x7FFFFFFF) raise(PyExc_MemoryError, "too many shared objects");
        table_.assign(table_.empty() ? 64 : table_.size() * 4, 0);
        size_t mask = table_.size() - 1;
        for (size_t k = 0; k < visits.size(); ++k) {
            size_t i = slot(visits[k].object);
            while (table_[i] != 0) i = (i + 1) & mask;
            table_[i] = uint32_t(k + 1);
        }
    }
    std::vector<uint32_t> table_;
};

}  // namespace mason
