// Strategy: a set has no order, but the document that it came from has. Where a document is to be written again as it
// was, that order is tied to the set by a weak reference and lives as long as the set does. It is a list of addresses,
// compared and never followed, so that it keeps nothing alive and closes no cycle.
#pragma once

#include "ref.hpp"

namespace mason {

// Ties the order of the list `elements`, which are those of the set, to the set.
void tie_order(PyObject* set, PyObject* elements);
// Puts a list of the set's elements into the order tied to it, if there is one; what came since stands last.
void restore_order(PyObject* set, PyObject* elements);
void add_order_type();

}  // namespace mason
