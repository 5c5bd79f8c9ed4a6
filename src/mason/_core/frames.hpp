// Strategy: what a walk has open, as a stack of frames on the heap. A frame owns its container and keeps an index; items
// are read again from the container after whatever may have run Python code. The same stack tells where a problem is.
#pragma once

#include "plan.hpp"

#include <string>
#include <vector>

namespace mason {

constexpr uint32_t unvisited = UINT32_MAX;

class Frames {
  public:
    struct Frame {
        enum Form : uint8_t { List, Tuple, Set, Frozenset, Dict, Map, Fields, NamedTuple, Slots, Tag };

        PyObject* owner = nullptr;    // what is being written
        PyObject* content = nullptr;  // a list of a set's elements, a dictionary of raw slots; or null
        PyObject* pending = nullptr;  // the value of the map entry whose key is being written
        PyObject* next = nullptr;     // borrowed: what is written next, after its key; taken before any code runs
        Plan* plan = nullptr;
        const Shape* shape = nullptr;
        Py_ssize_t place = 0, count = 0, position = 0;
        size_t start = 0;
        uint32_t visit = unvisited;
        Form form;
        uint8_t phase = 0;
        bool flat = false;   // written on one line
        bool pairs = false;  // a slot's list of [key, value] lists
        bool keep = false;   // an enum member whose bytes are kept
    };

    ~Frames() {
        while (!stack_.empty()) pop();
    }
    size_t size() const { return stack_.size(); }
    bool empty() const { return stack_.empty(); }
    Frame& top() { return stack_.back(); }
    const Frame& operator[](size_t i) const { return stack_[i]; }

    Frame& push(PyObject* owner, Frame::Form form, uint32_t visit, Py_ssize_t count) {
        stack_.emplace_back();
        Frame& frame = stack_.back();
        frame.owner = Py_NewRef(owner);
        frame.form = form;
        frame.visit = visit;
        frame.count = count;
        return frame;
    }
    void pop() {
        Frame last = stack_.back();  // what is let go may run code, which finds the stack in order
        stack_.pop_back();
        Py_DECREF(last.owner);
        Py_XDECREF(last.content);
        Py_XDECREF(last.pending);
        Py_XDECREF(reinterpret_cast<PyObject*>(last.plan));
    }

    // The place of what is being written: $.orders[3]["a b"]{0}.
    std::string path() const;

  private:
    std::vector<Frame> stack_;
};

// Appends one step of a path: `.name` or `["any text"]`.
void path_key(std::string& path, PyObject* key);
// Whether a raw slot holds the object's content, so that a path does not name it.
bool content_slot(PyObject* key);

// Whether every key of a dictionary is a str.
inline bool text_keys(PyObject* dict) {
    if (layout::surely_text_keys(dict)) return true;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(dict, &position, &key, &value))
        if (!is_text(key)) return false;
    return true;
}

// Deques and defaultdicts directly in each other are freed by recursion; a reader takes 500 of them.
bool nested_too_deep(const Frames& frames, PyObject* object, const Plan* plan);

}  // namespace mason
