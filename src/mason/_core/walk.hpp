// Strategy: one walk over the object graph writes it, in any format. Frames lie on a heap stack, so depth costs
// memory and never the C stack. A frame owns its container and keeps an index; items are read again from the
// container after whatever may have run Python code. Leaves are written in the container's own loop; everything
// else goes through `open`, which writes an atom, pushes a frame, or notes a problem with its path and goes on,
// so that one dump tells of all problems.
#pragma once

#include "hashing.hpp"
#include "memo.hpp"
#include "moments.hpp"
#include "plan.hpp"
#include "text.hpp"

#include <ctime>
#include <string>
#include <vector>

namespace mason {

struct DumpOptions {
    bool typed = false, plain = false, shared = true, stable = false, text = false;
    int indent = -1;
    Limits limits;
};

// Appends one step of a path: `.name` or `["any text"]`.
void path_key(std::string& path, PyObject* key);
// Whether a raw slot holds the object's content, so that a path does not name it.
bool content_slot(PyObject* key);
bool reserved_attribute(PyObject* name);  // __dunder__ names, which no document may set

template <class W>
class Walk {
  public:
    Walk(Plans* plans, const DumpOptions& options)
        : out_(options.indent), options_(options), plans_(plans), keys_(options_.limits, plans), started_(clock()) {
        if (W::json) out_.most_digits = options_.limits.digits < 0 ? 4300 : options_.limits.digits;
    }
    ~Walk() {
        while (!stack_.empty()) drop(stack_.back());
    }

    Ref run(PyObject* root) {
        moments::fetch_if_loaded();
        Ref kept = Ref::share(root);
        if (!leaf(root)) open(root);
        while (!stack_.empty()) step();
        if (keys_.too_much(out_.out.size())) problem(root, "its keys take too long to hash", "raise Limits(key_nodes=...)");
        if (options_.limits.nodes >= 0 && nodes_ + 1 > options_.limits.nodes) limit("Limits.nodes");
        if (options_.limits.bytes >= 0 && Py_ssize_t(out_.out.size()) > options_.limits.bytes) limit("Limits.bytes");
        if (total_problems_) raise_problems();
        if constexpr (!W::json)
            if (options_.typed) return within_bytes(describe());
        return within_bytes(out_.finish(memo_.visits, (typed_ || options_.typed) && !options_.plain));
    }

  private:
    enum class Form : uint8_t { List, Tuple, Set, Frozenset, Dict, Map, Fields, NamedTuple, Slots, Tag };
    static constexpr uint32_t unvisited = UINT32_MAX;

    struct Frame {
        PyObject* owner = nullptr;    // what is being written
        PyObject* content = nullptr;  // a list of a set's elements, a dictionary of raw slots; or null
        PyObject* pending = nullptr;  // the value of the map entry whose key is being written
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

    // ---- leaves ----

    bool leaf(PyObject* v) {
        PyTypeObject* type = Py_TYPE(v);
        if (type == &PyUnicode_Type) {
            if (W::json && text::unsayable(v))
                split(v);
            else
                out_.text(v);
        } else if (type == &PyLong_Type) {
            int64_t small;
            int overflow = 0;
            if (!layout::small_int(v, small)) small = PyLong_AsLongLongAndOverflow(v, &overflow);
            if (overflow || (W::json && out_.most_digits < 19))
                big(v);
            else
                out_.small_integer(small);
        } else if (type == &PyFloat_Type) {
            double number = PyFloat_AS_DOUBLE(v);
            if (std::isfinite(number))
                out_.real(number);
            else
                odd(v, number);
        } else if (v == Py_None) {
            out_.null();
        } else if (type == &PyBool_Type) {
            out_.boolean(v == Py_True);
        } else {
            return false;
        }
        return true;
    }

    void split(PyObject* v) {
        problem(v, "holds the two halves of a surrogate pair as two characters, which JSON cannot say", "CBOR can");
        out_.null();
    }

    void big(PyObject* v) {
        size_t before = out_.out.size();
        if (!out_.big_integer(v)) return;
        typed_ = true;
        if (!options_.plain) return;
        out_.out.at -= out_.out.size() - before;
        not_plain(v);
    }

    void odd(PyObject* v, double number) {
        if (W::json && !typed(v)) return;
        out_.odd_real(number);
    }

    // Notes that the document is typed; with plain=True that is a problem instead, and null is written.
    bool typed(PyObject* v) {
        typed_ = true;
        if (!options_.plain) return true;
        not_plain(v);
        return false;
    }
    void not_plain(PyObject* v) {
        problem(v, "is not plain data, and plain=True was asked for", "leave plain=True away to keep its type");
        out_.null();
    }

    // ---- everything that is not a leaf ----

    void open(PyObject* v) {
        PyTypeObject* type = Py_TYPE(v);
        check_limits();
        Ref kept = Ref::share(v);  // what follows may run code, and the container be changed by it
        if (type == last_type_ && last_plan_->stamp == type->tp_version_tag) return open_fields(v, last_plan_);
        if (type == &PyList_Type) return open_list(v, true);
        if (type == &PyDict_Type) return open_dict(v, true);
        if (type == &PyTuple_Type) return open_sequence(v, Form::Tuple);
        if (type == &PyBytes_Type) {
            if (!W::json || typed(v)) out_.bytes(PyBytes_AS_STRING(v), size_t(PyBytes_GET_SIZE(v)), false);
            return;
        }
        if (type == &PySet_Type) return open_set(v, Form::Set);
        if (type == &PyFrozenSet_Type) return open_set(v, Form::Frozenset);
        if (type == &PyByteArray_Type) {
            uint32_t visit;
            if (!typed(v) || !enter(v, visit)) return;
            out_.bytes(PyByteArray_AS_STRING(v), size_t(PyByteArray_GET_SIZE(v)), true);
            close_visit(visit);
            return;
        }
        if (type == &PyComplex_Type) {
            if (typed(v)) out_.complex_number(PyComplex_AsCComplex(v));
            return;
        }
        if (moments::ready() && open_moment(v, type)) return;
        if (type == state.record_type) return open_record(v);
        if (type == state.name_type) {
            if (typed(v)) out_.global(reinterpret_cast<Pair*>(v)->first);
            return;
        }
        if (type == state.tag_type) return open_tag(v);
        if (type == state.simple_type) {
            if (!W::json || typed(v)) out_.simple(unsigned(PyLong_AsLong(reinterpret_cast<Pair*>(v)->first)));
            return;
        }
        open_planned(v, plans_->find(type));
    }

    // Enters a container into the memo where it could be met again; false when a reference was written instead.
    bool enter(PyObject* v, uint32_t& visit) {
        visit = unvisited;
        if (Py_REFCNT(v) == 2 && !stack_.empty() && !full_memo_) return true;  // its container and open()
        bool fresh;
        uint32_t found = memo_.enter(v, out_.out.size(), fresh);
        visit = found;
        if (fresh) return true;
        Visit& seen = memo_.visits[found];
        if (options_.shared) {
            if (options_.plain) {
                problem(v, "is shared, which plain data cannot say", "pass shared=False to write it again");
                out_.null();
                return false;
            }
            typed_ = true;
            out_.reference(found);
            return false;
        }
        if (seen.end == 0) {
            problem(v, "holds itself, and shared=False was asked for", "leave shared=False away");
            out_.null();
            return false;
        }
        seen.end = 0;
        return true;
    }
    void close_visit(uint32_t visit) {
        if (visit != unvisited) memo_.visits[visit].end = out_.out.size();
    }

    Frame& push(PyObject* owner, Form form, uint32_t visit, Py_ssize_t count) {
        stack_.emplace_back();
        Frame& frame = stack_.back();
        frame.owner = Py_NewRef(owner);
        frame.form = form;
        frame.visit = visit;
        frame.count = count;
        nodes_ += count;
        return frame;
    }
    void drop(Frame& frame) {
        Frame last = frame;
        stack_.pop_back();
        Py_DECREF(last.owner);
        Py_XDECREF(last.content);
        Py_XDECREF(last.pending);
        Py_XDECREF(reinterpret_cast<PyObject*>(last.plan));
    }
    void pop(Frame& frame) {
        close_visit(frame.visit);
        drop(frame);
    }

    void open_list(PyObject* v, bool identity, bool pairs = false) {
        uint32_t visit = unvisited;
        if (identity && !enter(v, visit)) return;
        if (visit != unvisited && W::json) memo_.visits[visit].array = true;
        Py_ssize_t count = PyList_GET_SIZE(v), place = 0;
        out_.list_begin(size_t(count));
        for (; place < count && is_leaf(PyList_GET_ITEM(v, place)); ++place) {
            out_.item(place);
            leaf(PyList_GET_ITEM(v, place));
        }
        if (place == count) {
            nodes_ += count;
            out_.list_end(count);
            return close_visit(visit);
        }
        Frame& frame = push(v, Form::List, visit, count);
        frame.place = place;
        frame.pairs = pairs;
    }

    void open_sequence(PyObject* v, Form form) {
        if (!typed(v)) return;
        Py_ssize_t count = PyTuple_GET_SIZE(v);
        uint32_t visit = unvisited;
        if (count > 0 && !enter(v, visit)) return;
        out_.form_list_begin(Key::Tuple, size_t(count));
        push(v, form, visit, count);
    }

    static bool text_keys(PyObject* dict) {
        if (layout::surely_text_keys(dict)) return true;
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(dict, &position, &key, &value))
            if (!is_text(key)) return false;
        return true;
    }

    void open_dict(PyObject* v, bool identity) {
        uint32_t visit = unvisited;
        bool plain = text_keys(v);
        if (!plain && !typed(v)) return;
        if (!plain && !hashable(v)) return;
        if (identity && !enter(v, visit)) return;
        Py_ssize_t count = PyDict_GET_SIZE(v);
        if (!plain) {
            out_.map_begin(size_t(count));
            push(v, Form::Map, visit, count);
            return;
        }
        out_.dict_begin(size_t(count));
        Py_ssize_t place = 0, position = 0, next = 0;
        PyObject *key, *value;
        while (PyDict_Next(v, &next, &key, &value) && is_leaf(value) && PyUnicode_IS_ASCII(key)) {
            out_.item(place++);
            write_key(key);
            leaf(value);
            position = next;
        }
        if (place == count) {
            nodes_ += count;
            out_.dict_end(count);
            return close_visit(visit);
        }
        Frame& frame = push(v, Form::Dict, visit, count);
        frame.place = place;
        frame.position = position;
    }

    void write_key(PyObject* key) {
        bool dollar = W::json && starts_with_dollar(key);
        if (dollar && out_.must_type(key)) typed_ = true;
        if (W::json && text::unsayable(key)) split(key);
        out_.key(key, dollar);
    }

    void open_set(PyObject* v, Form form) {
        if (!typed(v) || !hashable(v)) return;
        Py_ssize_t count = PySet_GET_SIZE(v);
        uint32_t visit = unvisited;
        if ((count > 0 || form == Form::Set) && !enter(v, visit)) return;
        Ref elements = Ref::check(PySequence_List(v));
        if (options_.stable && count > 1) order(elements.get());
        out_.form_list_begin(form == Form::Set ? Key::Set : Key::Frozenset, size_t(count));
        push(v, form, visit, count).content = elements.release();
    }

    // The keys of a set or dictionary within the limits that the reader has on them.
    bool hashable(PyObject* container) {
        bool set = PyAnySet_Check(container);
        std::vector<KeyMeasure::Hashed> hashes;
        bool many = (set ? PySet_GET_SIZE(container) : PyDict_GET_SIZE(container)) > options_.limits.collisions;
        const char* why = nullptr;
        Ref keys = Ref::check(set ? PySequence_List(container) : PyDict_Keys(container));
        keys_.begin();
        for (Py_ssize_t i = 0; !why && i < PyList_GET_SIZE(keys.get()); ++i) {
            PyObject* key = PyList_GET_ITEM(keys.get(), i);
            why = keys_.refuse(key);
            Py_ssize_t nodes = keys_.last_nodes();
            if (why || !keys_.counts(many)) continue;
            Py_hash_t hash = PyObject_Hash(key);
            if (hash == -1) {
                if (!PyErr_ExceptionMatches(PyExc_Exception)) throw PythonError{};
                PyErr_Clear();
                why = "has a key that cannot be hashed";
            }
            hashes.push_back({hash, nodes, Ref::share(key)});
        }
        if (!why) why = keys_.mixed();
        if (!why) why = keys_.collide(hashes, set);
        if (!why) return true;
        problem(container, why, "no reader would take it; raise the limit on both sides: limits=mason.Limits(...)");
        out_.null();
        return false;
    }

    // A stable order for people and version control: elements of one ordered standard type are sorted.
    void order(PyObject* elements) {
        PyTypeObject* type = Py_TYPE(PyList_GET_ITEM(elements, 0));
        bool known = type == &PyUnicode_Type || type == &PyLong_Type || type == &PyBytes_Type || type == &PyFloat_Type ||
                     type == &PyTuple_Type;
        for (Py_ssize_t i = 0; known && i < PyList_GET_SIZE(elements); ++i) known = ordered(PyList_GET_ITEM(elements, i), type);
        if (known && PyList_Sort(elements) < 0) PyErr_Clear();
    }
    static bool ordered(PyObject* v, PyTypeObject* type) {
        if (Py_TYPE(v) != type) return false;
        if (type == &PyFloat_Type) return !std::isnan(PyFloat_AS_DOUBLE(v));
        if (type != &PyTuple_Type) return true;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(v); ++i) {
            PyObject* item = PyTuple_GET_ITEM(v, i);
            if (!PyUnicode_CheckExact(item) && !PyLong_CheckExact(item)) return false;
        }
        return true;
    }

    // ---- dates and times ----

    bool open_moment(PyObject* v, PyTypeObject* type) {
        if (type == PyDateTimeAPI->DateTimeType) {
            if (typed(v)) open_datetime(v);
        } else if (type == PyDateTimeAPI->DateType) {
            if (typed(v)) out_.date(v);
        } else if (type == PyDateTimeAPI->DeltaType) {
            if (typed(v)) out_.timedelta(v);
        } else if (type == PyDateTimeAPI->TimeType) {
            if (typed(v)) open_time(v);
        } else {
            return false;
        }
        return true;
    }

    // The offset of a fixed, unnamed timezone (borrowed), or null. Kept from one datetime to the next.
    PyObject* fixed_offset(PyObject* zone) {
        if (!Py_IS_TYPE(zone, Py_TYPE(PyDateTime_TimeZone_UTC))) return nullptr;
        if (zone != last_fixed_.get()) {
            Ref arguments = Ref::check(PyObject_CallMethod(zone, "__getinitargs__", nullptr));
            last_fixed_ = Ref::share(zone);
            bool unnamed = PyTuple_CheckExact(arguments.get()) && PyTuple_GET_SIZE(arguments.get()) == 1;
            last_offset_ = unnamed ? Ref::share(PyTuple_GET_ITEM(arguments.get(), 0)) : Ref();
        }
        return last_offset_.get();
    }

    // The key of a ZoneInfo that its key brings back (borrowed), or null.
    PyObject* zone_key(PyObject* zone) {
        if (zone == last_zone_.get()) return last_key_.get();
        if (std::strcmp(Py_TYPE(zone)->tp_name, "zoneinfo.ZoneInfo") != 0) return nullptr;
        Plan* plan = plans_->find(Py_TYPE(zone));
        if (plan->kind != Kind::Parts || plan->take == Py_None) return nullptr;
        PyObject* slots = PyObject_CallOneArg(plan->take, zone);
        if (slots == nullptr) {
            if (!PyErr_ExceptionMatches(state.refused)) throw PythonError{};
            PyErr_Clear();  // told where the zone itself is written
            return nullptr;
        }
        Ref owned = Ref::steal(slots);
        PyObject* key = PyDict_CheckExact(slots) ? PyDict_GetItem(slots, state.reserved[int(Key::Str)]) : nullptr;
        if (key == nullptr || !is_text(key) || !PyUnicode_IS_ASCII(key)) return nullptr;
        last_zone_ = Ref::share(zone);
        last_key_ = Ref::share(key);
        return key;
    }

    void open_datetime(PyObject* v) {
        PyObject* zone = PyDateTime_DATE_GET_TZINFO(v);
        if (PyDateTime_DATE_GET_FOLD(v) == 0) {
            if (zone == Py_None) return out_.datetime(v, nullptr, nullptr, false);
            if (PyObject* offset = fixed_offset(zone)) return out_.datetime(v, offset, nullptr, zone == PyDateTime_TimeZone_UTC);
            if (PyObject* key = zone_key(zone)) {
                Ref offset = Ref::check(PyObject_CallMethod(v, "utcoffset", nullptr));
                if (PyDelta_CheckExact(offset.get())) return out_.datetime(v, offset.get(), key, false);
            }
        }
        open_planned(v, plans_->find(Py_TYPE(v)));
    }

    void open_time(PyObject* v) {
        PyObject* zone = PyDateTime_TIME_GET_TZINFO(v);
        if (PyDateTime_TIME_GET_FOLD(v) == 0) {
            if (zone == Py_None) return out_.time(v, nullptr);
            if (PyObject* offset = fixed_offset(zone)) return out_.time(v, offset);
        }
        open_planned(v, plans_->find(Py_TYPE(v)));
    }

    // ---- what a plan describes ----

    void open_planned(PyObject* v, Plan* plan) {
        Ref kept = Ref::share(reinterpret_cast<PyObject*>(plan));
        if (plan->body->checked != serial_ && !still_there(v, plan)) return;
        switch (plan->kind) {
            case Kind::Refused:
                problem_text(v, plan->reason, plan->hint);
                out_.null();
                return;
            case Kind::Fields:
                remember(v, plan);
                return open_fields(v, plan);
            case Kind::NamedTuple: return open_named_tuple(v, plan);
            case Kind::Enum: return open_enum(v, plan);
            case Kind::Parts: return open_parts(v, plan);
            case Kind::Name: return open_name(v, plan);
            case Kind::Decimal:
                if (typed(v)) out_.decimal_number(Ref::check(PyObject_Str(v)).get());
                return;
            case Kind::Fraction: return open_fraction(v);
            case Kind::Uuid: return open_uuid(v, plan);
        }
    }

    // Lists hold instances of one class more often than not.
    void remember(PyObject* v, Plan* plan) {
        last_type_ = Py_TYPE(v);
        last_plan_ = plan;
        last_kept_ = Ref::share(reinterpret_cast<PyObject*>(plan));
    }

    // A class that was replaced in its module since the plan was made would come back as the other one.
    bool still_there(PyObject* v, Plan* plan) {
        plan->body->checked = serial_;
        if (plan->at_home()) return true;
        plan->body->checked = 0;
        problem(v, "is of a class that is no longer found under its own name",
            "it was replaced since; a notebook cell that ran again does that");
        out_.null();
        return false;
    }

    // Calls a plan's function; false when it refused, which is noted.
    bool call(PyObject* function, PyObject* v, Ref& result) {
        result = Ref::steal(PyObject_CallOneArg(function, v));
        if (result) return true;
        if (!PyErr_ExceptionMatches(state.refused)) throw PythonError{};
        PyObject *type, *value, *trace;
        PyErr_Fetch(&type, &value, &trace);
        PyErr_NormalizeException(&type, &value, &trace);
        Ref t = Ref::steal(type), e = Ref::steal(value), b = Ref::steal(trace);
        Ref reason = Ref::check(PyObject_GetAttrString(e.get(), "reason")), hint = Ref::check(PyObject_GetAttrString(e.get(), "hint"));
        problem_text(v, reason.get(), hint.get());
        out_.null();
        return false;
    }

    void open_name(PyObject* v, Plan* plan) {
        Ref name;
        if (!typed(v) || !call(plan->take, v, name)) return;
        if (!is_text(name.get())) raise(PyExc_TypeError, "a name must be a str");
        out_.global(name.get());
    }

    void open_fraction(PyObject* v) {
        if (!typed(v)) return;
        Ref numerator = Ref::check(PyObject_GetAttrString(v, "_numerator"));
        Ref denominator = Ref::check(PyObject_GetAttrString(v, "_denominator"));
        for (PyObject* part : {numerator.get(), denominator.get()}) {
            if (!PyLong_CheckExact(part)) raise(PyExc_TypeError, "a Fraction of something else than int");
            if (beyond_digits(part)) {
                problem(v, "is a fraction of more than 4300 digits", "store numerator and denominator as ints");
                out_.null();
                return;
            }
        }
        out_.fraction(numerator.get(), denominator.get());
    }

    void open_uuid(PyObject* v, Plan* plan) {
        PyObject *number = nullptr, *safety = nullptr;
        for (const Field& slot : plan->body->slots) {
            PyObject* value = *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(v) + slot.offset);
            if (PyUnicode_CompareWithASCIIString(slot.name.get(), "int") == 0)
                number = value;
            else if (PyUnicode_CompareWithASCIIString(slot.name.get(), "is_safe") == 0)
                safety = value;
        }
        PyObject* usual = plan->defaults == Py_None ? nullptr : PyDict_GetItemString(plan->defaults, "is_safe");
        if (number == nullptr || safety != usual) {  // it says how safely it was made
            Ref slots;
            if (call(plan->take, v, slots)) open_slots(v, plan, slots, true);
            return;
        }
        if (!typed(v)) return;
        unsigned char sixteen[16];
#if PY_VERSION_HEX >= 0x030D0000
        check(_PyLong_AsByteArray(reinterpret_cast<PyLongObject*>(number), sixteen, 16, 0, 0, 1));
#else
        check(_PyLong_AsByteArray(reinterpret_cast<PyLongObject*>(number), sixteen, 16, 0, 0));
#endif
        out_.uuid(sixteen);
    }

    void open_enum(PyObject* v, Plan* plan) {
        if (!typed(v)) return;
        auto found = plan->body->members.find(v);
        if (found != plan->body->members.end()) {
            const std::string& bytes = W::json ? found->second.first : found->second.second;
            if (!bytes.empty() && options_.indent < 0) {
                nodes_ += 2;
                return out_.raw(bytes);
            }
        }
        Ref slots;
        if (!call(plan->take, v, slots)) return;
        bool keep = options_.indent < 0 && PyDict_CheckExact(slots.get()) && keeps(v, plan, slots.get());
        open_slots(v, plan, slots, true);
        stack_.back().keep = keep;
    }

    // Whether the bytes of an enum member may be kept: it is found by its name, and what is written of it is atoms.
    static bool keeps(PyObject* v, Plan* plan, PyObject* slots) {
        if (plan->members == Py_None) return false;
        PyObject* named = PyDict_GetItem(slots, state.reserved[int(Key::Enum)]);
        if (named == nullptr || !is_text(named) || PyDict_GetItem(plan->members, named) != v) return false;
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(slots, &position, &key, &value))
            if (!is_text(value) && !PyLong_CheckExact(value) && value != Py_None) return false;
        return true;
    }

    void open_parts(PyObject* v, Plan* plan) {
        if (!typed(v)) return;
        uint32_t visit = unvisited;
        if (!plan->atom && !enter(v, visit)) return;
        if (plan->take == Py_None) raise(PyExc_TypeError, "the plan cannot take objects apart");
        Ref slots;
        if (!call(plan->take, v, slots)) return close_visit(visit);
        open_slots(v, plan, slots, plan->atom, visit);
    }

    void open_slots(PyObject* v, Plan* plan, Ref& slots, bool flat, uint32_t visit = unvisited) {
        if (!PyDict_CheckExact(slots.get())) raise(PyExc_TypeError, "the parts of an object must be a dict of slots");
        if (!typed(v)) return;
        if ((PyAnySet_Check(v) || (PyDict_Check(v) && !text_keys(v))) && !hashable(v)) return close_visit(visit);
        Py_ssize_t count = PyDict_GET_SIZE(slots.get());
        if (nested_too_deep(v, plan)) {
            out_.null();
            return close_visit(visit);
        }
        Frame& frame = push(v, Form::Slots, visit, count);
        frame.start = out_.out.size();
        out_.instance_begin(plan, size_t(count), flat);
        frame.plan = reinterpret_cast<Plan*>(Py_NewRef(reinterpret_cast<PyObject*>(plan)));
        frame.content = slots.release();
        frame.flat = flat;
    }

    // Deques and defaultdicts directly in each other are freed by recursion; a reader takes 500 of them.
    bool nested_too_deep(PyObject* v, Plan* plan) {
        if (plan->shell == Py_None || !frees_by_recursion(v)) return false;
        size_t nested = 0;
        for (size_t i = stack_.size(); i-- > 0 && nested <= 500;) {
            const Frame& frame = stack_[i];
            if (frame.form == Form::Slots && frees_by_recursion(frame.owner))
                ++nested;
            else if (i > 0 && stack_[i - 1].form != Form::Slots && !stack_[i - 1].pairs)
                break;
        }
        if (nested < 500) return false;
        problem(v, "stands in 500 others of its kind, each directly in the next", "Python itself could not free them");
        return true;
    }

    void open_record(PyObject* v) {
        if (!typed(v)) return;
        uint32_t visit;
        if (!enter(v, visit)) return;
        Pair* record = reinterpret_cast<Pair*>(v);
        if (!sound_record(v, record->second)) return close_visit(visit);
        Py_ssize_t count = PyDict_GET_SIZE(record->second);
        out_.record_begin(record->first, size_t(count));
        push(v, Form::Slots, visit, count).content = Py_NewRef(record->second);
    }

    // Whether the raw slots of a Record are such as a reader takes.
    bool sound_record(PyObject* v, PyObject* items) {
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(items, &position, &key, &value)) {
            if (!is_text(key)) changed();
            if (!starts_with_dollar(key) || (PyUnicode_GET_LENGTH(key) > 1 && PyUnicode_READ_CHAR(key, 1) == '$')) continue;
            Key code = reserved_code(key);
            SlotShape shape = code == Key::None ? SlotShape::None : slot_shape_of(code);
            bool sound = shape == SlotShape::Any || (shape == SlotShape::Array && PyList_CheckExact(value)) ||
                         (shape == SlotShape::Object && PyDict_CheckExact(value) && text_keys(value));
            for (Py_ssize_t i = 0; sound && shape == SlotShape::Array && i < PyList_GET_SIZE(value); ++i) {
                PyObject* item = PyList_GET_ITEM(value, i);
                if (code == Key::Unset) sound = is_text(item);
                if (code == Key::Map) sound = PyList_CheckExact(item) && PyList_GET_SIZE(item) == 2;
            }
            if (sound) continue;
            std::string why = "holds the slot " + spelled(key) + " with a content that no reader takes";
            problem(v, why.c_str(), "a `$` at the start of an attribute's name is written twice");
            out_.null();
            return false;
        }
        return true;
    }

    void open_tag(PyObject* v) {
        static const uint64_t own[] = {0, 1, 2, 3, 4, 28, 29, 30, 37, 39, 121, 122, 123, 258, 259, 268, 273, 283, 1002, 1004,
            43000, 55799};
        if (!typed(v)) return;
        Pair* tag = reinterpret_cast<Pair*>(v);
        uint64_t number = PyLong_AsUnsignedLongLong(tag->first);
        if (std::find(std::begin(own), std::end(own), number) != std::end(own)) {
            problem(v, "is a tag that this notation gives a meaning of its own", "write the value itself");
            return out_.null();
        }
        uint32_t visit;
        if (!enter(v, visit)) return;
        out_.tag_begin(tag->first, number);
        push(v, Form::Tag, visit, 1);
    }

    // ---- instances ----

    // The value of a field (borrowed), or null when it is not there.
    static PyObject* value_at(PyObject* v, const Field& field) {
        if (field.offset >= 0) return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(v) + field.offset);
        layout::Values values;
        if (layout::inline_values(v, values)) {
            int place = field.place >= 0 ? field.place : (field.place = layout::place_of(Py_TYPE(v), field.name.get()));
            return place >= 0 ? values.values[place] : nullptr;
        }
        PyObject* dict = layout::made_dict(v);
        if (dict == nullptr) {
            Ref made = Ref::check(PyObject_GenericGetDict(v, nullptr));
            dict = made.get();  // the instance keeps it
        }
        return PyDict_GetItemWithError(dict, field.name.get());
    }

    // Whether the instance's attributes are exactly those of the shape, in its order.
    static bool matches(PyObject* v, Plan* plan, const Shape& shape) {
        if (shape.fields.size() - size_t(shape.stored) != plan->body->slots.size()) return false;
        layout::Values values;
        PyObject* dict = nullptr;
        Py_ssize_t position = 0;
        int next = 0;
        bool in_line = false;
        if (plan->body->has_dict) {
            in_line = layout::inline_values(v, values);
            if (in_line ? values.size != shape.stored : false) return false;
            if (!in_line) {
                dict = layout::made_dict(v);
                if (dict == nullptr) {
                    if (layout::fast && layout::has_inline_layout(Py_TYPE(v)) && shape.stored == 0) return true;
                    Ref made = Ref::check(PyObject_GenericGetDict(v, nullptr));
                    dict = made.get();
                }
                if (PyDict_GET_SIZE(dict) != shape.stored) return false;
            }
        }
        if (in_line && shape.placed && shape.stored == Py_ssize_t(shape.fields.size())) {
            for (int i = 0; i < shape.stored; ++i)
                if (values.order(i) != shape.places[i]) return false;
            return true;
        }
        for (const Field& field : shape.fields) {
            if (field.offset >= 0) {
                if (*reinterpret_cast<PyObject**>(reinterpret_cast<char*>(v) + field.offset) == nullptr) return false;
            } else if (in_line) {
                int place = values.order(next++);
                if (place != field.place) {
                    if (layout::key_at(Py_TYPE(v), place) != field.name.get()) return false;
                    field.place = place;
                }
                if (next <= 32) shape.places[next - 1] = uint8_t(place);
            } else {
                PyObject *key, *value;
                if (dict == nullptr || !PyDict_Next(dict, &position, &key, &value) || key != field.name.get()) return false;
            }
        }
        if (in_line) shape.placed = shape.stored <= 32;
        return true;
    }

    // All attributes by name, slots first; those that the plan drops are left out.
    static void attributes(PyObject* v, Plan* plan, std::vector<std::pair<Ref, Ref>>& found) {
        for (const Field& slot : plan->body->slots) {
            PyObject* value = *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(v) + slot.offset);
            if (value) found.emplace_back(slot.name, Ref::share(value));
        }
        if (plan->body->has_dict) dict_attributes(v, found);
        if (plan->dropped == Py_None) return;
        for (size_t i = 0; i < found.size();) {
            int dropped = PyDict_Contains(plan->dropped, found[i].first.get());
            check(dropped);
            if (dropped)
                found.erase(found.begin() + Py_ssize_t(i));
            else
                ++i;
        }
    }

    static void dict_attributes(PyObject* v, std::vector<std::pair<Ref, Ref>>& found) {
        layout::Values values;
        if (layout::inline_values(v, values)) {
            for (int i = 0; i < values.size; ++i) {
                int place = values.order(i);
                found.emplace_back(Ref::share(layout::key_at(Py_TYPE(v), place)), Ref::share(values.values[place]));
            }
            return;
        }
        Ref dict = Ref::share(layout::made_dict(v));
        if (!dict) dict = Ref::check(PyObject_GenericGetDict(v, nullptr));
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(dict.get(), &position, &key, &value)) found.emplace_back(Ref::share(key), Ref::share(value));
    }

    void open_fields(PyObject* v, Plan* plan) {
        if (!typed(v)) return;
        uint32_t visit;
        if (!enter(v, visit)) return;
        for (const auto& shape : plan->body->shapes)
            if (matches(v, plan, *shape)) return push_fields(v, plan, shape.get(), visit);
        std::vector<std::pair<Ref, Ref>> found;
        attributes(v, plan, found);
        if (!named_soundly(v, found)) {
            out_.null();
            return close_visit(visit);
        }
        if (const Shape* shape = learn(plan, found))
            if (matches(v, plan, *shape)) return push_fields(v, plan, shape, visit);
        Ref slots = raw_fields(plan, found);
        open_slots(v, plan, slots, false, visit);
    }

    bool named_soundly(PyObject* v, const std::vector<std::pair<Ref, Ref>>& found) {
        for (const auto& [name, value] : found) {
            if (!is_text(name.get())) {
                problem(v, "has an attribute whose name is not a str", "");
                return false;
            }
            if (reserved_attribute(name.get())) {
                std::string why = std::string("has the attribute ") + spelled(name.get()) + ", a name that no document may set";
                problem(v, why.c_str(), "");
                return false;
            }
        }
        return true;
    }
    static std::string spelled(PyObject* text) { return json_spelling(text, false); }

    // A shape of these names, when the instance has what its class declares and nothing more.
    static const Shape* learn(Plan* plan, const std::vector<std::pair<Ref, Ref>>& found) {
        std::vector<Ref> names;
        for (const auto& [name, value] : found) {
            if (!plan->declares(name.get())) return nullptr;
            PyObject* interned = Py_NewRef(name.get());
            PyUnicode_InternInPlace(&interned);
            names.push_back(Ref::steal(interned));
        }
        if (plan->declared && Py_ssize_t(names.size()) != PyTuple_GET_SIZE(plan->fields)) return nullptr;
        return plan->shape_for(names);
    }

    static Ref slot_key(PyObject* name) {
        if (!starts_with_dollar(name)) return Ref::share(name);
        return Ref::check(PyUnicode_FromFormat("$%U", name));
    }

    // The raw slots of an instance that differs from its fields: `$extra` and `$unset` say how.
    static Ref raw_fields(Plan* plan, const std::vector<std::pair<Ref, Ref>>& found) {
        Ref slots = Ref::check(PyDict_New()), extra = Ref::check(PyDict_New()), unset = Ref::check(PyList_New(0));
        for (const auto& [name, value] : found) {
            if (plan->declares(name.get()))
                check(PyDict_SetItem(slots.get(), slot_key(name.get()).get(), value.get()));
            else
                check(PyDict_SetItem(extra.get(), name.get(), value.get()));
        }
        if (plan->declared)
            for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(plan->fields); ++i) {
                PyObject* name = PyTuple_GET_ITEM(plan->fields, i);
                int there = PyDict_Contains(slots.get(), slot_key(name).get());
                check(there);
                if (!there) check(PyList_Append(unset.get(), name));
            }
        if (PyDict_GET_SIZE(extra.get())) check(PyDict_SetItem(slots.get(), state.reserved[int(Key::Extra)], extra.get()));
        if (PyList_GET_SIZE(unset.get())) check(PyDict_SetItem(slots.get(), state.reserved[int(Key::Unset)], unset.get()));
        return slots;
    }

    void push_fields(PyObject* v, Plan* plan, const Shape* shape, uint32_t visit) {
        Py_ssize_t count = Py_ssize_t(shape->fields.size());
        out_.instance_begin(plan, size_t(count), false);
        // Most instances hold leaves only: they need no frame.
        Py_ssize_t place = leaf_fields(v, shape, 0, shape->stored > 0);
        if (place == count) {
            nodes_ += count;
            out_.instance_end(false);
            return close_visit(visit);
        }
        Frame& frame = push(v, Form::Fields, visit, count);
        frame.place = place;
        frame.plan = reinterpret_cast<Plan*>(Py_NewRef(reinterpret_cast<PyObject*>(plan)));
        frame.shape = shape;
    }

    void open_named_tuple(PyObject* v, Plan* plan) {
        if (!typed(v)) return;
        uint32_t visit;
        if (!enter(v, visit)) return;
        const Shape* shape = plan->body->shapes[0].get();
        Py_ssize_t count = Py_ssize_t(shape->fields.size());
        if (PyTuple_GET_SIZE(v) != count) {
            problem(v, "has another number of items than its class has fields", "");
            out_.null();
            return close_visit(visit);
        }
        Ref dict;
        if (plan->body->has_dict) dict = Ref::check(PyObject_GenericGetDict(v, nullptr));
        if (!dict || PyDict_GET_SIZE(dict.get()) == 0) {
            out_.instance_begin(plan, size_t(count), false);
            Frame& frame = push(v, Form::NamedTuple, visit, count);
            frame.plan = reinterpret_cast<Plan*>(Py_NewRef(reinterpret_cast<PyObject*>(plan)));
            frame.shape = shape;
            return;
        }
        Ref slots = Ref::check(PyDict_New()), extra = Ref::check(PyDict_Copy(dict.get()));
        for (Py_ssize_t i = 0; i < count; ++i)
            check(PyDict_SetItem(slots.get(), slot_key(shape->fields[size_t(i)].name.get()).get(), PyTuple_GET_ITEM(v, i)));
        check(PyDict_SetItem(slots.get(), state.reserved[int(Key::Extra)], extra.get()));
        open_slots(v, plan, slots, false, visit);
    }

    // ---- the loop: writes on in the frame on top until a child is pushed or it ends ----

    void step() {
        Frame& frame = stack_.back();
        switch (frame.form) {
            case Form::List: return step_list(frame);
            case Form::Tuple: return step_tuple(frame);
            case Form::Set:
            case Form::Frozenset: return step_elements(frame);
            case Form::Dict: return step_dict(frame);
            case Form::Map: return step_map(frame);
            case Form::Fields: return step_fields(frame);
            case Form::NamedTuple: return step_named(frame);
            case Form::Slots: return step_slots(frame);
            case Form::Tag: return step_tag(frame);
        }
    }

    // Writes a child; true when a frame was pushed for it, after which `frame` is no longer to be used.
    bool child(PyObject* v) {
        if (leaf(v)) return false;
        size_t depth = stack_.size();
        open(v);
        return stack_.size() != depth;
    }

    void step_list(Frame& top) {
        size_t self = stack_.size() - 1;
        PyObject* list = top.owner;
        for (;;) {
            Frame& frame = stack_[self];
            if (PyList_GET_SIZE(list) != frame.count) changed();
            if (frame.place == frame.count) {
                out_.list_end(frame.count);
                return pop(frame);
            }
            PyObject* item = PyList_GET_ITEM(list, frame.place);
            out_.item(frame.place++);
            if (frame.pairs && PyList_CheckExact(item)) {
                size_t depth = stack_.size();
                open_list(item, false);
                if (stack_.size() != depth) return;
                continue;
            }
            if (child(item)) return;
        }
    }

    void step_tuple(Frame& top) {
        size_t self = stack_.size() - 1;
        PyObject* tuple = top.owner;
        for (;;) {
            Frame& frame = stack_[self];
            if (frame.place == frame.count) {
                out_.form_list_end(frame.count);
                return pop(frame);
            }
            PyObject* item = PyTuple_GET_ITEM(tuple, frame.place);
            out_.item(frame.place++);
            if (child(item)) return;
        }
    }

    void step_elements(Frame& top) {
        size_t self = stack_.size() - 1;
        PyObject* list = top.content;
        for (;;) {
            Frame& frame = stack_[self];
            if (PySet_GET_SIZE(frame.owner) != frame.count) changed();
            if (frame.place == frame.count) {
                out_.form_list_end(frame.count);
                return pop(frame);
            }
            PyObject* item = PyList_GET_ITEM(list, frame.place);
            out_.item(frame.place++);
            if (child(item)) return;
        }
    }

    void step_dict(Frame& top) {
        size_t self = stack_.size() - 1;
        PyObject* dict = top.owner;
        PyObject *key, *value;
        for (;;) {
            Frame& frame = stack_[self];
            if (PyDict_GET_SIZE(dict) != frame.count) changed();
            if (!PyDict_Next(dict, &frame.position, &key, &value)) {
                if (frame.place != frame.count) changed();
                out_.dict_end(frame.count);
                return pop(frame);
            }
            if (frame.place == frame.count || !is_text(key)) changed();
            out_.item(frame.place++);
            Ref held = PyUnicode_IS_ASCII(key) ? Ref() : Ref::share(value);  // write_key may note a problem
            write_key(key);
            if (child(value)) return;
        }
    }

    void step_map(Frame& top) {
        size_t self = stack_.size() - 1;
        PyObject* dict = top.owner;
        for (;;) {
            Frame& frame = stack_[self];
            if (frame.phase == 0) {
                PyObject *key, *value;
                if (PyDict_GET_SIZE(dict) != frame.count) changed();
                if (!PyDict_Next(dict, &frame.position, &key, &value)) {
                    if (frame.place != frame.count) changed();
                    out_.map_end(frame.count);
                    return pop(frame);
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
                Py_CLEAR(frame.pending);
                frame.phase = 0;
            }
        }
    }

    // Writes fields from `place` on as long as they are leaves, which run no code; returns where it stopped.
    Py_ssize_t leaf_fields(PyObject* v, const Shape* shape, Py_ssize_t place, bool in_line) {
        Py_ssize_t count = Py_ssize_t(shape->fields.size());
        const Field* fields = shape->fields.data();
        layout::Values values;
        if (!in_line || !layout::inline_values(v, values)) return place;
        for (; place < count; ++place) {
            const Field& field = fields[place];
            PyObject* value = field.offset >= 0 ? *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(v) + field.offset)
                                                : values.values[field.place];
            if (value == nullptr || !is_leaf(value)) return place;
            out_.field(field);
            leaf(value);
        }
        return place;
    }
    bool is_leaf(PyObject* v) const {  // what may be a problem needs a frame, for its path
        PyTypeObject* type = Py_TYPE(v);
        if (type == &PyUnicode_Type) return PyUnicode_IS_ASCII(v);
        if (options_.plain) return false;
        return type == &PyLong_Type || type == &PyFloat_Type || type == &PyBool_Type || v == Py_None;
    }

    void step_fields(Frame& top) {
        size_t self = stack_.size() - 1;
        PyObject* v = top.owner;
        const Shape* shape = top.shape;
        for (;;) {
            Frame& frame = stack_[self];
            if (frame.place == frame.count) {
                out_.instance_end(false);
                return pop(frame);
            }
            const Field& field = shape->fields[size_t(frame.place++)];
            PyObject* value = value_at(v, field);
            if (value == nullptr) {
                if (PyErr_Occurred()) throw PythonError{};
                changed();
            }
            out_.field(field);
            if (child(value)) return;
        }
    }

    void step_named(Frame& top) {
        size_t self = stack_.size() - 1;
        PyObject* v = top.owner;
        const Shape* shape = top.shape;
        for (;;) {
            Frame& frame = stack_[self];
            if (frame.place == frame.count) {
                out_.instance_end(false);
                return pop(frame);
            }
            const Field& field = shape->fields[size_t(frame.place)];
            PyObject* value = PyTuple_GET_ITEM(v, frame.place++);
            out_.field(field);
            if (child(value)) return;
        }
    }

    void step_slots(Frame& top) {
        size_t self = stack_.size() - 1;
        PyObject* slots = top.content;
        PyObject *key, *value;
        for (;;) {
            Frame& frame = stack_[self];
            if (PyDict_GET_SIZE(slots) != frame.count) changed();
            if (!PyDict_Next(slots, &frame.position, &key, &value)) {
                if (frame.place != frame.count) changed();
                out_.instance_end(frame.flat);
                keep_member(frame);
                return pop(frame);
            }
            if (frame.place++ == frame.count || !is_text(key)) changed();
            out_.item(1);
            out_.raw_key(key);
            if (starts_with_dollar(key) && bare(key, value)) {
                if (bare_done_) continue;
                return;
            }
            if (child(value)) return;
        }
    }

    // The content of a reserved slot has no identity of its own.
    bool bare(PyObject* key, PyObject* value) {
        Key code = reserved_code(key);
        SlotShape shape = code == Key::None ? SlotShape::None : slot_shape_of(code);
        size_t depth = stack_.size();
        Ref kept = Ref::share(value);
        if (shape == SlotShape::Array && PyList_CheckExact(value))
            open_list(value, false, code == Key::Map);
        else if (shape == SlotShape::Object && PyDict_CheckExact(value) && text_keys(value))
            open_dict(value, false);
        else
            return false;
        bare_done_ = stack_.size() == depth;  // it needed no frame
        return true;
    }

    void keep_member(Frame& frame) {
        if (!frame.keep || total_problems_) return;
        auto& bytes = frame.plan->body->members[frame.owner];
        (W::json ? bytes.first : bytes.second) = out_.since(frame.start);
    }

    void step_tag(Frame& frame) {
        if (frame.place == 1) {
            out_.tag_end();
            return pop(frame);
        }
        frame.place = 1;
        child(reinterpret_cast<Pair*>(frame.owner)->second);
    }

    // ---- problems ----

    std::string path() const {
        std::string text = "$";
        size_t depth = stack_.size();
        for (size_t i = 0; i < depth; ++i) {
            if (depth > 60 && i == 30) {
                text += "...";
                i = depth - 30;
            }
            path_step(text, stack_[i]);
        }
        return text;
    }

    void path_step(std::string& text, const Frame& frame) const {
        Py_ssize_t place = frame.place - 1;
        if (place < 0) return;
        auto number = [&](const char* open, Py_ssize_t n, char close) { text += open + std::to_string(n) + close; };
        switch (frame.form) {
            case Form::List:
            case Form::Tuple:
                if (frame.pairs)
                    number("[#", place, ']');
                else
                    number("[", place, ']');
                return;
            case Form::Set:
            case Form::Frozenset: return number("{", place, '}');
            case Form::Fields:
            case Form::NamedTuple: return path_key(text, frame.shape->fields[size_t(place)].name.get());
            case Form::Tag: return;
            case Form::Map:
                if (frame.phase == 1) return number("{", place, '}');
                break;
            default: break;
        }
        PyObject *key = nullptr, *value;
        Py_ssize_t position = 0;
        PyObject* dict = frame.form == Form::Slots ? frame.content : frame.owner;
        for (Py_ssize_t i = 0; i <= place; ++i)
            if (!PyDict_Next(dict, &position, &key, &value)) return;
        if (frame.form == Form::Slots && is_text(key) && content_slot(key)) return;
        if (is_text(key)) return path_key(text, key);
        int overflow = 0;
        if (PyLong_CheckExact(key)) {
            long long n = PyLong_AsLongLongAndOverflow(key, &overflow);
            if (!overflow) return number("[", Py_ssize_t(n), ']');
        }
        number("[#", place, ']');
    }

    void problem(PyObject* v, const char* reason, const char* hint) {
        Ref r = Ref::check(PyUnicode_FromString(reason)), h = Ref::check(PyUnicode_FromString(hint));
        problem_text(v, r.get(), h.get());
    }
    void problem_text(PyObject* v, PyObject* reason, PyObject* hint) {
        constexpr size_t cap = 100;
        if (total_problems_++ >= cap) {
            if (!options_.shared) raise_problems();  // every path to a cycle is a problem of its own: there is no end to them
            return;
        }
        if (!problems_) problems_ = Ref::check(PyList_New(0));
        std::string where = path();
        Ref place = Ref::check(PyUnicode_DecodeUTF8(where.data(), Py_ssize_t(where.size()), "replace"));
        Ref row = Ref::check(Py_BuildValue("(OOOO)", place.get(), type_name(Py_TYPE(v)).get(), reason, hint));
        check(PyList_Append(problems_.get(), row.get()));
    }
    // The type as "module.qualname"; the metaclass is not asked.
    static Ref type_name(PyTypeObject* type) {
        if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) return Ref::check(PyUnicode_FromString(type->tp_name));
#if PY_VERSION_HEX >= 0x030C0000
        Ref dict = Ref::check(PyType_GetDict(type));
#else
        Ref dict = Ref::share(type->tp_dict);
#endif
        PyObject* module = PyDict_GetItemString(dict.get(), "__module__");
        PyObject* name = reinterpret_cast<PyHeapTypeObject*>(type)->ht_qualname;
        if (module == nullptr || !is_text(module) || PyUnicode_CompareWithASCIIString(module, "builtins") == 0) return Ref::share(name);
        return Ref::check(PyUnicode_FromFormat("%U.%U", module, name));
    }
    [[noreturn]] void raise_problems() {
        Ref error = Ref::check(PyObject_CallFunction(state.dump_error, "On", problems_.get(), Py_ssize_t(total_problems_)));
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
        throw PythonError{};
    }
    [[noreturn]] void stop(PyObject* v, const char* reason, const char* hint) {
        problem(v, reason, hint);
        raise_problems();
    }
    [[noreturn]] void changed() {
        stop(stack_.back().owner, "changed during the dump", "let no other thread change what is being written");
    }

    void check_limits() {
        const Limits& limits = options_.limits;
        if (limits.depth >= 0 && Py_ssize_t(stack_.size()) >= limits.depth) limit("Limits.depth");
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
        stop(stack_.empty() ? Py_None : stack_.back().owner, why.c_str(), "raise the limit: limits=mason.Limits(...)");
    }

    Ref describe() {  // a file that says what it is: tag 55799 in front (RFC 8949 section 3.4.6)
        Ref body = out_.finish(memo_.visits, true);
        Ref head = Ref::check(PyBytes_FromStringAndSize("\xD9\xD9\xF7", 3));
        PyObject* whole = head.release();
        PyBytes_Concat(&whole, body.get());
        return Ref::check(whole);
    }

    W out_;
    DumpOptions options_;
    Plans* plans_;
    Memo memo_;
    struct GraphKeys : KeyMeasure {
        GraphKeys(const Limits& limits, Plans* plans) : KeyMeasure(limits), plans_(plans) {}
        const Plan* known_plan(PyTypeObject* type) override {
            auto found = plans_->table->find(type);
            return found == plans_->table->end() ? nullptr : found->second;
        }
        Plans* plans_;
    };
    GraphKeys keys_;
    std::vector<Frame> stack_;
    PyTypeObject* last_type_ = nullptr;
    Plan* last_plan_ = nullptr;
    Ref last_kept_;
    Ref problems_, last_fixed_, last_offset_, last_zone_, last_key_;
    size_t total_problems_ = 0;
    Py_ssize_t nodes_ = 0;
    unsigned ticks_ = 0;
    clock_t started_;
    const uint64_t serial_ = ++walks_;
    static inline uint64_t walks_ = 0;
    bool typed_ = false;
    // A class whose hooks may hand out an object that the graph already owns needs every object in the memo.
    bool full_memo_ = false;
    bool bare_done_ = false;
};

}  // namespace mason
