// Strategy: datetimes of one zone come in a row, so the last zone of each kind is kept with what is written of it.
#pragma once

#include "plan.hpp"

namespace mason {

class Zones {
  public:
    explicit Zones(Plans* plans) : plans_(plans) {}

    // The offset of a fixed, unnamed timezone (borrowed), or null.
    PyObject* fixed_offset(PyObject* zone);
    // The key of a ZoneInfo that its key brings back (borrowed), or null.
    PyObject* key(PyObject* zone);

  private:
    Plans* plans_;
    Ref fixed_, offset_, zone_, key_;
};

}  // namespace mason
