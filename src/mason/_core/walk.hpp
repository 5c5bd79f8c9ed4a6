// Strategy: one walk over the object graph writes it, in any format. Leaves are written in their container's own loop,
// which runs no code; a container that holds nothing else needs no frame. Everything else goes through `open`, which
// writes an atom, pushes a frame, or notes a problem with its path and goes on, so that one dump tells of all problems.
#pragma once

#include "frames.hpp"
#include "instance.hpp"
#include "keys.hpp"
#include "memo.hpp"
#include "moments.hpp"
#include "problems.hpp"
#include "zones.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <string>
#include <vector>

namespace mason {

struct DumpOptions {
    bool typed = false, plain = false, shared = true, stable = false, text = false;
    int indent = -1;
    Limits limits;
};

template <class W>
class Walk {
  public:
    Walk(Plans* plans, const DumpOptions& options)
        : out_(options.indent), options_(options), plans_(plans), keys_(options_.limits, plans), zones_(plans),
          problems_(options.shared) {
        const Limits& limits = options_.limits;
        limited_ = limits.depth >= 0 || limits.nodes >= 0 || limits.bytes >= 0 || limits.seconds >= 0;
        if (limits.seconds >= 0) started_ = clock();
        if (W::json) out_.most_digits = options_.limits.digits < 0 ? 4300 : options_.limits.digits;
    }

    Ref run(PyObject* root) {
        moments::fetch_if_loaded();
        Ref kept = Ref::share(root);
        if (!leaf(root)) open(root);
        while (!frames_.empty()) step();
        if (keys_.too_much(out_.out.size())) problem(root, "its keys take too long to hash", "raise Limits(key_nodes=...)");
        if (options_.limits.nodes >= 0 && nodes_ + 1 > options_.limits.nodes) limit("Limits.nodes");
        if (options_.limits.bytes >= 0 && Py_ssize_t(out_.out.size()) > options_.limits.bytes) limit("Limits.bytes");
        if (problems_.any()) problems_.raise();
        if constexpr (!W::json)
            if (options_.typed) return within_bytes(describe());
        return within_bytes(out_.finish(memo_.visits, (typed_ || out_.must_type || options_.typed) && !options_.plain));
    }

  private:
    using Frame = Frames::Frame;

    // ---- leaves: what follows runs no code, so what is borrowed stays where it is ----

    // Writes a value that is plain data by itself; false when it is not, or needs a closer look.
    bool leaf(PyObject* v) {
        PyTypeObject* type = Py_TYPE(v);
        if (type == &PyUnicode_Type) return out_.text(v);
        if (type == &PyLong_Type) return integer(v);
        if (type == &PyFloat_Type) {
            double number = PyFloat_AS_DOUBLE(v);
            if (W::json && !std::isfinite(number)) return false;
            out_.real(number);
        } else if (v == Py_None) {
            out_.null();
        } else if (v == Py_True || v == Py_False) {
            out_.boolean(v == Py_True);
        } else {
            return false;
        }
        return true;
    }
    bool integer(PyObject* v) {
        int64_t small;
        if (!layout::small_int(v, small)) {
            int overflow;
            small = PyLong_AsLongLongAndOverflow(v, &overflow);
            if (overflow) return false;
        }
        if (W::json && out_.most_digits < 19) return false;
        out_.small_integer(small);
        return true;
    }

    // Each of these writes on from `place` and returns the first value that is no leaf, with its key or separator
    // written before it, or null at the end.

    static PyObject* const* items_of(PyObject* sequence) { return PySequence_Fast_ITEMS(sequence); }
    PyObject* leaf_items(PyObject* const* items, Py_ssize_t& place, Py_ssize_t count) {
        while (place < count) {
            PyObject* item = items[place];
            out_.item(place++);
            if (!leaf(item)) return item;
        }
        return nullptr;
    }
    // Null also before a key that needs a closer look.
    PyObject* leaf_entries(PyObject* dict, Py_ssize_t& place, Py_ssize_t& position, Py_ssize_t count) {
        PyObject *key, *value;
        Py_ssize_t next = position;
        while (place < count && layout::next(dict, next, key, value) && is_text(key)) {
            size_t before = out_.out.size();
            out_.item(place);
            if (!out_.key(key)) {
                out_.out.cut(before);
                return nullptr;
            }
            ++place;
            position = next;
            if (!leaf(value)) return value;
        }
        return nullptr;
    }
    // Null also before a field that cannot be seen without a look into the dictionary.
    PyObject* leaf_fields(PyObject* object, const Shape& shape, Py_ssize_t& place) {
        const AttributeView attributes(object);
        const Field* fields = shape.fields.data();
        for (Py_ssize_t count = Py_ssize_t(shape.fields.size()); place < count;) {
            const Field& field = fields[place];
            PyObject* value = attributes[field];
            if (value == nullptr) return nullptr;
            out_.field(field);
            ++place;
            if (!leaf(value)) return value;
        }
        return nullptr;
    }
    PyObject* leaf_named(PyObject* tuple, const Shape& shape, Py_ssize_t& place) {
        for (Py_ssize_t count = Py_ssize_t(shape.fields.size()); place < count;) {
            out_.field(shape.fields[size_t(place)]);
            PyObject* value = PyTuple_GET_ITEM(tuple, place++);
            if (!leaf(value)) return value;
        }
        return nullptr;
    }

    // ---- everything that is not a leaf ----

    void open(PyObject* v) {
        if (__builtin_expect(limited_, 0)) check_limits();
        PyTypeObject* type = Py_TYPE(v);
        if (type == &PyList_Type) return open_list(v);
        if (type == &PyDict_Type && text_keys(v)) return open_dict(v);
        Ref kept = Ref::share(v);  // what follows may run code, and the container be changed by it
        const Known& known = known_[Known::place(type)];
        if (type == known.type && known.plan->stamp == layout::version_tag(type)) {
            if (known.plan->kind == Kind::Fields) return open_fields(v, known.plan);
            return open_as(v, known.plan);
        }
        if (type == &PyTuple_Type) return open_tuple(v);
        if (type == &PyBytes_Type) {
            if (!W::json || typed(v)) out_.bytes(PyBytes_AS_STRING(v), size_t(PyBytes_GET_SIZE(v)), false);
        } else if (moments::ready() && open_moment(v, type)) {
            return;
        } else if (type == &PyDict_Type) {
            open_map(v);
        } else if (type == &PySet_Type) {
            open_set(v, Frame::Set);
        } else if (type == &PyFrozenSet_Type) {
            open_set(v, Frame::Frozenset);
        } else if (type == &PyByteArray_Type) {
            open_bytearray(v);
        } else if (type == &PyComplex_Type) {
            if (typed(v)) out_.complex_number(PyComplex_AsCComplex(v));
        } else if (type == state.record_type) {
            open_record(v);
        } else if (type == state.name_type) {
            if (typed(v)) out_.global(reinterpret_cast<Pair*>(v)->first);
        } else if (type == state.tag_type) {
            open_tag(v);
        } else if (type == state.simple_type) {
            if (!W::json || typed(v)) out_.simple(unsigned(PyLong_AsLong(reinterpret_cast<Pair*>(v)->first)));
        } else if (type == &PyUnicode_Type) {
            split(v);
        } else if (type == &PyLong_Type) {
            big(v);
        } else if (type == &PyFloat_Type) {
            if (typed(v)) out_.odd_real(PyFloat_AS_DOUBLE(v));
        } else {
            open_planned(v, true);
        }
    }

    void split(PyObject* v) {
        refuse(v, "holds the two halves of a surrogate pair as two characters, which JSON cannot say", "CBOR can");
    }
    void big(PyObject* v) {
        size_t before = out_.out.size();
        if (!out_.big_integer(v)) return;
        typed_ = true;
        if (!options_.plain) return;
        out_.out.cut(before);
        not_plain(v);
    }

    // Notes that the document is typed; with plain=True that is a problem instead, and null is written.
    bool typed(PyObject* v) {
        typed_ = true;
        if (!options_.plain) return true;
        not_plain(v);
        return false;
    }
    void not_plain(PyObject* v) {
        refuse(v, "is not plain data, and plain=True was asked for", "leave plain=True away to keep its type");
    }

    // Enters a container into the memo where it could be met again; false when a reference was written instead.
    // Its container and its caller hold one reference each.
    bool enter(PyObject* v, uint32_t& visit) {
        visit = unvisited;
        return (Py_REFCNT(v) == 2 && !frames_.empty()) || enter_memo(v, visit);
    }
    __attribute__((noinline)) bool enter_memo(PyObject* v, uint32_t& visit) {
        bool fresh;
        visit = memo_.enter(v, out_.out.size(), fresh);
        return fresh || enter_again(v, visit);
    }
    bool enter_again(PyObject* v, uint32_t visit) {
        Visit& seen = memo_.visits[visit];
        if (seen.part) {
            return refuse(v, "is where another object keeps its content, and would come back apart from it", part_hint);
        }
        if (options_.shared && !options_.plain) {
            typed_ = true;
            out_.reference(visit);
            return false;
        }
        if (seen.end == 0) {  // it has no end, so that writing it again is no way out
            if (!options_.plain)
                problem(v, "holds itself, and shared=False was asked for", "leave shared=False away");
            else
                problem(v, "holds itself, which plain data cannot say",
                    options_.shared ? "leave plain=True away" : "leave plain=True and shared=False away");
        } else if (options_.shared) {
            problem(v, "is shared, which plain data cannot say", "pass shared=False to write it again");
        } else {
            seen.end = 0;
            return true;
        }
        out_.null();
        return false;
    }
    // What an object keeps its content in, and something else holds, must not be met again: it has no place in a
    // document, so it would come back as two. False when it was met, which is noted.
    __attribute__((noinline)) bool owns(PyObject* v, PyObject* part) {
        if (!options_.shared || options_.plain) return true;
        bool fresh;
        uint32_t visit = memo_.enter(part, out_.out.size(), fresh);
        if (fresh) return memo_.visits[visit].part = true;
        return refuse(v, "keeps its content in an object that is written for itself, too, or is another's", part_hint);
    }
    __attribute__((always_inline)) bool owns_dict(PyObject* v, Plan* plan) {
        const PlanBody& body = *plan->body;
        PyObject* dict = body.managed_dict ? layout::managed_dict(v) : body.has_dict ? layout::existing_dict(v) : nullptr;
        return __builtin_expect(dict == nullptr, 1) || (Py_REFCNT(dict) == 1 && PyDict_CheckExact(dict)) || owns_loose(v, dict);
    }
    __attribute__((noinline)) bool owns_loose(PyObject* v, PyObject* dict) {
        if (PyDict_CheckExact(dict)) return owns(v, dict);
        return refuse(v, "has a __dict__ that is more than a dict", dict == v ? "write dict(x)" : "keep the attributes in a plain dict");
    }
    static constexpr const char* part_hint = "write a copy of it, dict(vars(x)) or list(x.maps); or pass shared=False";

    void close_visit(uint32_t visit) {
        if (visit != unvisited) memo_.visits[visit].end = out_.out.size();
    }
    void pop() {
        close_visit(frames_.top().visit);
        frames_.pop();
    }

    // Whether nobody but its container holds the object, so that it cannot be met again.
    bool held_once(PyObject* v) const { return Py_REFCNT(v) == 1 && !frames_.empty(); }

    void open_list(PyObject* v) {
        if (__builtin_expect(held_once(v), 1)) return write_list(v, unvisited);
        uint32_t visit;
        if (!enter_memo(v, visit)) return;
        if (W::json) memo_.visits[visit].array = true;
        write_list(v, visit);
    }
    // What follows is compiled for `unvisited` by itself: a list or dictionary that is held once pays nothing for identity.
    __attribute__((always_inline)) void write_list(PyObject* v, uint32_t visit, bool pairs = false) {
        Py_ssize_t count = PyList_GET_SIZE(v);
        out_.list_begin(size_t(count));
        if (push_items(v, Frame::List, visit, count)) {
            frames_.top().pairs = pairs;
        } else {
            out_.list_end(count);
            close_visit(visit);
        }
    }

    void open_tuple(PyObject* v) {
        if (!typed(v)) return;
        Py_ssize_t count = PyTuple_GET_SIZE(v);
        uint32_t visit = unvisited;
        if (count > 0 && !enter(v, visit)) return;
        out_.form_list_begin(Key::Tuple, size_t(count));
        if (push_items(v, Frame::Tuple, visit, count)) return;
        out_.form_list_end(count);
        close_visit(visit);
    }

    // Writes the items of a list or tuple up to the first that is no leaf; true when there is one, and a frame for it.
    bool push_items(PyObject* v, Frame::Form form, uint32_t visit, Py_ssize_t count) {
        Py_ssize_t place = 0;
        nodes_ += count;
        PyObject* next = leaf_items(items_of(v), place, count);
        if (next == nullptr) return false;
        Frame& frame = frames_.push(v, form, visit, count);
        frame.place = place;
        frame.next = next;
        return true;
    }
    void open_dict(PyObject* v) {
        if (__builtin_expect(held_once(v), 1)) return write_dict(v, unvisited);
        uint32_t visit;
        if (enter_memo(v, visit)) write_dict(v, visit);
    }
    __attribute__((always_inline)) void write_dict(PyObject* v, uint32_t visit) {
        Py_ssize_t count = PyDict_GET_SIZE(v), place = 0, position = 0;
        nodes_ += count;
        out_.dict_begin(size_t(count));
        PyObject* next = leaf_entries(v, place, position, count);
        if (next == nullptr && place == count) {
            out_.dict_end(count);
            return close_visit(visit);
        }
        Frame& frame = frames_.push(v, Frame::Dict, visit, count);
        frame.place = place;
        frame.position = position;
        frame.next = next;
    }

    // ---- what is opened, in walk_open.hpp ----

    void open_map(PyObject* v);
    void open_set(PyObject* v, Frame::Form form);
    bool hashable(PyObject* container);
    void open_bytearray(PyObject* v);
    bool open_moment(PyObject* v, PyTypeObject* type);
    void open_datetime(PyObject* v);
    void open_time(PyObject* v);
    void open_planned(PyObject* v, bool always);
    void open_as(PyObject* v, Plan* plan);
    bool still_there(PyObject* v, Plan* plan);
    bool call(PyObject* function, PyObject* v, Ref& result);
    void open_decimal(PyObject* v, Plan* plan);
    void open_name(PyObject* v, Plan* plan);
    void open_fraction(PyObject* v);
    void open_uuid(PyObject* v, Plan* plan);
    void open_enum(PyObject* v, Plan* plan);
    static bool keeps(PyObject* v, Plan* plan, PyObject* slots);
    void open_parts(PyObject* v, Plan* plan);
    void open_slots(PyObject* v, Plan* plan, Ref& slots, bool flat, uint32_t visit = unvisited);
    void open_record(PyObject* v);
    bool sound_record(PyObject* v, PyObject* items);
    void open_tag(PyObject* v);
    void open_fields(PyObject* v, Plan* plan);
    void push_fields(PyObject* v, Plan* plan, const Shape& shape, uint32_t visit);
    void push_instance(PyObject* v, Frame::Form form, Plan* plan, const Shape& shape, uint32_t visit, Py_ssize_t place,
        PyObject* next);
    void open_named_tuple(PyObject* v, Plan* plan);

    // ---- the loop: writes on in the frame on top until a child is pushed or it ends ----

    void step() {
        switch (frames_.top().form) {
            case Frame::List:
            case Frame::Tuple:
            case Frame::Set:
            case Frame::Frozenset: return step_items();
            case Frame::Dict: return step_dict();
            case Frame::Map: return step_map();
            case Frame::Fields: return step_fields();
            case Frame::NamedTuple: return step_named();
            case Frame::Slots: return step_slots();
            case Frame::Tag: return step_tag();
        }
    }

    // Opens a value; true when a frame was pushed for it, after which the one before is no longer on top.
    bool pushes(PyObject* v) {
        size_t depth = frames_.size();
        open(v);
        return frames_.size() != depth;
    }
    bool child(PyObject* v) { return !leaf(v) && pushes(v); }

    void step_items() {
        for (;;) {
            Frame& frame = frames_.top();
            PyObject* next = std::exchange(frame.next, nullptr);
            if (next == nullptr) next = next_item(frame);
            if (next == nullptr) {
                if (frame.form == Frame::List)
                    out_.list_end(frame.count);
                else
                    out_.form_list_end(frame.count);
                return pop();
            }
            if (frame.pairs && PyList_CheckExact(next)) {
                size_t depth = frames_.size();
                write_list(next, unvisited);
                if (frames_.size() != depth) return;
            } else if (pushes(next)) {
                return;
            }
        }
    }
    PyObject* next_item(Frame& frame) {
        PyObject* items = frame.content ? frame.content : frame.owner;
        if (Py_SIZE(items) != frame.count || (frame.content && PySet_GET_SIZE(frame.owner) != frame.count)) changed();
        return leaf_items(items_of(items), frame.place, frame.count);
    }

    void step_dict() {
        for (;;) {
            Frame& frame = frames_.top();
            PyObject* value = std::exchange(frame.next, nullptr);
            if (value == nullptr) {
                if (PyDict_GET_SIZE(frame.owner) != frame.count) changed();
                value = leaf_entries(frame.owner, frame.place, frame.position, frame.count);
            }
            PyObject* key;
            if (value != nullptr) {
                if (pushes(value)) return;
            } else if (layout::next(frame.owner, frame.position, key, value)) {
                if (frame.place == frame.count || !is_text(key)) changed();
                Ref kept = Ref::share(value);
                out_.item(frame.place++);
                split(key);
                if (child(value)) return;
            } else {
                if (frame.place != frame.count) changed();
                out_.dict_end(frame.count);
                return pop();
            }
        }
    }

    void step_map() {
        for (;;) {
            Frame& frame = frames_.top();
            if (frame.phase == 0) {
                PyObject *key, *value;
                if (PyDict_GET_SIZE(frame.owner) != frame.count) changed();
                if (!layout::next(frame.owner, frame.position, key, value)) {
                    if (frame.place != frame.count) changed();
                    out_.map_end(frame.count);
                    return pop();
                }
                if (frame.place == frame.count) changed();
                out_.item(frame.place++);
                out_.entry_begin();
                frame.pending = Py_NewRef(value);
                frame.phase = 1;
                if (child(key)) return;
            } else if (frame.phase == 1) {
                out_.entry_between();
                frame.phase = 2;
                if (child(frame.pending)) return;
            } else {
                out_.entry_end();
                frame.phase = 0;
                Py_CLEAR(frame.pending);
            }
        }
    }

    void step_fields() {
        for (;;) {
            Frame& frame = frames_.top();
            PyObject* value = std::exchange(frame.next, nullptr);
            if (value == nullptr) {
                if (Py_TYPE(frame.owner) != frame.plan->cls) changed();  // the shape's places are those of its class
                value = leaf_fields(frame.owner, *frame.shape, frame.place);
            }
            if (value != nullptr) {
                if (pushes(value)) return;
            } else if (frame.place < frame.count) {
                const Field& field = frame.shape->fields[size_t(frame.place++)];
                value = field_value(frame.owner, field);
                if (value == nullptr) changed();
                out_.field(field);
                if (child(value)) return;
            } else {
                out_.instance_end(false);
                return pop();
            }
        }
    }

    void step_named() {
        for (;;) {
            Frame& frame = frames_.top();
            PyObject* value = std::exchange(frame.next, nullptr);
            if (value == nullptr) value = leaf_named(frame.owner, *frame.shape, frame.place);
            if (value == nullptr) {
                out_.instance_end(false);
                return pop();
            }
            if (pushes(value)) return;
        }
    }

    void step_slots() {
        for (;;) {
            Frame& frame = frames_.top();
            PyObject *key, *value;
            if (PyDict_GET_SIZE(frame.content) != frame.count) changed();
            if (!layout::next(frame.content, frame.position, key, value)) {
                if (frame.place != frame.count) changed();
                out_.instance_end(frame.flat);
                keep_member(frame);
                return pop();
            }
            if (frame.place++ == frame.count || !is_text(key)) changed();
            out_.item(1);
            out_.raw_key(key);
            size_t depth = frames_.size();
            if (!(starts_with_dollar(key) && open_bare(key, value)) && !leaf(value)) open(value);
            if (frames_.size() != depth) return;
        }
    }

    // The content of a reserved slot has no identity of its own; false when the value is no such content.
    bool open_bare(PyObject* key, PyObject* value) {
        Key code = reserved_code(key);
        SlotShape shape = code == Key::None ? SlotShape::None : slot_shape_of(code);
        bool list = shape == SlotShape::Array && PyList_CheckExact(value);
        if (!list && !(shape == SlotShape::Object && PyDict_CheckExact(value) && text_keys(value))) return false;
        bool held = Py_REFCNT(value) > 1;
        Ref kept = Ref::share(value);
        if (held && !owns(frames_.top().owner, value)) return true;
        if (list)
            write_list(value, unvisited, code == Key::Map);
        else
            write_dict(value, unvisited);
        return true;
    }

    void keep_member(Frame& frame) {
        if (!frame.keep || problems_.any()) return;
        PyObject* name = PyDict_GetItem(frame.content, state.reserved[int(Key::Enum)]);
        if (name == nullptr) return;
        Member& member = frame.plan->body->members[frame.owner];
        if (member.name.get() != name) member = {Ref::share(name), {}, {}};
        (W::json ? member.json : member.cbor) = out_.since(frame.start);
    }

    void step_tag() {
        Frame& frame = frames_.top();
        if (frame.place == 1) {
            out_.tag_end();
            return pop();
        }
        frame.place = 1;
        child(reinterpret_cast<Pair*>(frame.owner)->second);
    }

    // ---- problems and limits ----

    void problem(PyObject* v, const char* reason, const char* hint) {
        Ref kept = Ref::share(v);
        Ref r = Ref::check(PyUnicode_FromString(reason)), h = Ref::check(PyUnicode_FromString(hint));
        problems_.note(frames_, v, r.get(), h.get());
    }
    // Notes why a value cannot be written, and writes null in its place; false, as callers say "not written".
    __attribute__((noinline, cold)) bool refuse(PyObject* v, const char* reason, const char* hint) {
        problem(v, reason, hint);
        out_.null();
        return false;
    }
    __attribute__((noinline, cold)) bool refuse(PyObject* v, PyObject* reason, PyObject* hint) {
        problems_.note(frames_, v, reason, hint);
        out_.null();
        return false;
    }
    [[noreturn]] void stop(PyObject* v, const char* reason, const char* hint) {
        problem(v, reason, hint);
        problems_.raise();
    }
    [[noreturn]] void changed() {
        stop(frames_.top().owner, "changed during the dump", "let no other thread change what is being written");
    }

    void check_limits() {
        const Limits& limits = options_.limits;
        if (limits.depth >= 0 && Py_ssize_t(frames_.size()) >= limits.depth) limit("Limits.depth");
        if (limits.nodes >= 0 && nodes_ > limits.nodes) limit("Limits.nodes");
        if (limits.bytes >= 0 && Py_ssize_t(out_.out.size()) > limits.bytes) limit("Limits.bytes");
        if (limits.seconds >= 0 && (++ticks_ & 63) == 0 && double(clock() - started_) / CLOCKS_PER_SEC > limits.seconds)
            limit("Limits.seconds");
    }
    // The marks that were spliced in count, too.
    Ref within_bytes(Ref document) {
        if (options_.limits.bytes >= 0 && PyBytes_GET_SIZE(document.get()) > options_.limits.bytes) limit("Limits.bytes");
        return document;
    }
    [[noreturn]] void limit(const char* which) {
        std::string why = std::string("is beyond ") + which;
        stop(frames_.empty() ? Py_None : frames_.top().owner, why.c_str(), "raise the limit: limits=mason.Limits(...)");
    }

    Ref describe() {  // a file that says what it is: tag 55799 in front (RFC 8949 section 3.4.6)
        Ref body = out_.finish(memo_.visits, true);
        Ref head = Ref::check(PyBytes_FromStringAndSize("\xD9\xD9\xF7", 3));
        PyObject* whole = head.release();
        PyBytes_Concat(&whole, body.get());
        return Ref::check(whole);
    }

    // The plan of a class met before in this walk, found by the address of the class.
    struct Known {
        PyTypeObject* type = nullptr;
        Plan* plan = nullptr;
        Ref type_kept, plan_kept;

        static size_t place(PyTypeObject* type) {
            uintptr_t bits = reinterpret_cast<uintptr_t>(type);
            return (bits >> 4 ^ bits >> 10) % 16;
        }
        void keep(PyTypeObject* kept, Plan* with) {
            type_kept = Ref::share(reinterpret_cast<PyObject*>(type = kept));
            plan_kept = Ref::share(reinterpret_cast<PyObject*>(plan = with));
        }
    };

    W out_;
    DumpOptions options_;
    Plans* plans_;
    GraphKeys keys_;
    Zones zones_;
    Memo memo_;
    Frames frames_;
    Problems problems_;
    Known known_[16];
    Py_ssize_t nodes_ = 0;
    unsigned ticks_ = 0;
    clock_t started_ = 0;
    const uint64_t serial_ = ++walks_;
    static inline uint64_t walks_ = 0;
    bool typed_ = false;
    bool limited_;
};

}  // namespace mason
