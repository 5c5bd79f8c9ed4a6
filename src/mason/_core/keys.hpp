// Strategy: what a dump does with the keys of a set or dictionary before it writes them: it keeps to the limits that the
// reader has on them, and puts them in a stable order where people will compare documents.
#pragma once

#include "hashing.hpp"

namespace mason {

class GraphKeys : public KeyMeasure {
  public:
    GraphKeys(const Limits& limits, Plans* plans) : KeyMeasure(limits), limits_(limits), plans_(plans) {}

    // Null, or why no reader would take these keys. Runs the hashes of the keys.
    const char* refuse_all(PyObject* container);

  protected:
    const Plan* known_plan(PyTypeObject* type) override {
        return plans_->find(type);
    }

  private:
    const Limits& limits_;
    Plans* plans_;
};

// Sorts a list when its elements are of one standard type that has a total order.
void sort_elements(PyObject* list);

}  // namespace mason
