// Strategy: problems do not stop a dump: each is noted with its path, so that one error tells of all.
#pragma once

#include "frames.hpp"

namespace mason {

class Problems {
  public:
    explicit Problems(bool shared) : most_(shared ? SIZE_MAX : 100) {}

    bool any() const { return total_ > 0; }
    // Notes what is wrong with an object where the frames stand.
    void note(const Frames& frames, PyObject* object, PyObject* reason, PyObject* hint);
    [[noreturn]] void raise() const;

  private:
    Ref rows_;
    size_t total_ = 0;
    size_t most_;  // without shared= every path to a cycle is a problem of its own: there is no end to them
};

}  // namespace mason
