// Strategy: readers push values on one stack and open and close frames; the builder turns what a frame held into
// an object. Depth costs memory, never the C stack. A shared object that can exist before its content does (list,
// dict, set, instance) is made when its frame opens, so that cycles find it; a reference to one that cannot is a
// placeholder (Forward), put right at the end. What may run Python code of a trusted class (hashing an instance that
// is a key, an upgrade, a default factory) is a Task for the end too, when every name has been judged; so is an object
// that is made of its finished content while that content is not finished. finish.cpp runs them in order of need.
//
// The same builder reads inertly: then every instance becomes a Record and every name is only counted.
#pragma once

#include "hashing.hpp"
#include "moments.hpp"
#include "plan.hpp"
#include "text.hpp"

#include <algorithm>
#include <ctime>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mason {

void path_key(std::string& path, PyObject* key);
bool content_slot(PyObject* key);
bool reserved_attribute(PyObject* name);
[[noreturn]] void refused_name(PyObject* exception, PyObject* name);

struct LoadOptions {
    bool plain = false, inert = false, judged = false, last_wins = false, nonfinite = false;
    bool ordered = false;  // sets remember the order that they had
    Limits limits;
};

// While Python code may run, the collector works as the caller has it.
class CallOut {
  public:
    explicit CallOut(Collector& collector) : collector_(collector) { collector_.resume(); }
    ~CallOut() { collector_.pause(); }

  private:
    Collector& collector_;
};

// A name of the document and what it stands for, looked up once per use.
struct NameUse {
    Ref name;
    std::string_view text;  // the same, as it is looked up
    Ref plan;       // of its instances, once resolved
    Ref reference;  // the object itself, once resolved
    bool keep = false, keep_reference = false;
    bool own = false;     // the plan spells the name as the document does (no alias, no older version)
    bool native = false;  // a standard type whose `$str` alone is read natively
    const Shape* shape = nullptr;  // what the last instance held
    std::vector<std::pair<std::string, Ref>> spelled;  // members of an enum, as they stood in this document
    // counted when reading inertly: instance, call, reference
    size_t counts[3] = {0, 0, 0};
    size_t first[3] = {0, 0, 0};
    std::string paths[3];
    Plan* the_plan() const { return reinterpret_cast<Plan*>(plan.get()); }
};

enum class Role : uint8_t { List, Map, Pair, Dict, Form, Slots, Fields, Tag, Shared };

struct Frame {
    Role role;
    Key content = Key::None;  // the form or slot that an array is the content of
    Key last = Key::None;     // the reserved key whose value comes next
    uint64_t made = 0;        // a bit for each reserved key whose content was a bare array or object
    bool bare = false;        // a slot's array or object, which has no identity
    bool pasted = false;      // an untyped object with the key `$mason`
    bool root = false;
    bool headed = false;      // the root's $mason was seen; in CBOR: a break must follow the frame
    bool spelling = false;    // an array that spells an atom (a complex number, a decimal)
    uint32_t level = 0;       // how many containers of the object graph it stands in, itself included
    uint32_t expected = 0;    // how many fields of the shape have come
    int32_t shared = -1;      // place among the shared objects
    NameUse* use = nullptr;
    const Shape* shape = nullptr;
    PyObject* eager = nullptr;  // made when the frame opened; owned by the shared entry
    size_t base = 0;            // first value of the frame on the stack
    size_t start = 0;           // offset in the source
    int64_t target = -1;        // CBOR: how many values the frame takes; -1 up to a break
    uint64_t tag = 0;
};

class Builder {
  public:
    Builder(PyObject* resolve, const LoadOptions& options) : options_(options), resolve_(resolve), keys_(options_.limits, *this) {
        values_.reserve(64);
        frames_.reserve(8);
    }
    virtual ~Builder() {
        for (Ref& nest : nests_) break_nest(nest.get());
        dismantle();
    }
    Builder(const Builder&) = delete;

    // After reading: (name, use, count, first path) of every name met.
    Ref needs() const;
    PyObject* data = nullptr;  // what is being read, for error texts
    size_t size = 0;
    bool json = true;

  protected:
    struct Shared {
        Ref object;
        bool opened = false;
        int32_t task = -1;  // which makes it at the end
    };
    enum class Slot : uint8_t { ListItem, TupleItem, DictValue, Attribute, Second };
    struct Fix {  // a placeholder that an object holds
        Ref holder, key;
        Py_ssize_t index;
        uint32_t shared;
        Slot slot;
        NameUse* use;
    };
    struct Task {  // what waits for the end
        enum What : uint8_t {
            Set,       // add the elements of the list `content` to the set `object`
            Map,       // add its keys and values to the dictionary
            Fill,      // fill the object of its raw slots
            Make,      // make the object of its raw slots; it has a place among the shared objects until then
            Upgrade,   // set the attributes that an upgrade makes of the raw fields of an old version
            Defaults,  // call the factories of the fields that `content` names
        } what;
        Ref object, content;
        NameUse* use = nullptr;
        size_t start = 0;
        int32_t place = -1;
        std::string path;
        Ref attributes;             // names and values in turn, set when the object is made
        bool done = false;
        std::vector<size_t> fixes;  // where the object goes once it is made
    };

    [[noreturn]] void fail(const char* code, const std::string& message, const char* hint = "", size_t at = SIZE_MAX) const;
    // A field that does not fit its class.
    [[noreturn]] void fail_field(Plan* plan, PyObject* field, const std::string& message, const char* hint, size_t at) const;
    [[noreturn]] void fail_with(const char* code, const std::string& message, const char* hint, size_t at, PyObject* cls, PyObject* field) const;
    // Turns an exception that Python code raised into a LoadError, unless it is one or no Exception at all.
    [[noreturn]] void wrap(const char* what, size_t at) const;
    std::string path() const;

    void push(Ref value) { values_.push_back(value.release()); }
    Ref pop() {
        PyObject* value = values_.back();
        values_.pop_back();
        return Ref::steal(value);
    }
    Frame& open(Role role, size_t start) {
        check_limits(start);
        bool container = role == Role::List || role == Role::Map || role == Role::Dict || role == Role::Slots || role == Role::Fields;
        uint32_t level = (frames_.empty() ? 0 : frames_.back().level) + container;
        frames_.emplace_back();
        Frame& frame = frames_.back();
        frame.role = role;
        frame.level = level;
        frame.base = values_.size();
        frame.start = start;
        return frame;
    }
    // What only spells a container (a form, a slot's bare content) is no level of its own.
    void no_level(Frame& frame) { --frame.level; }
    void check_depth(const Frame& frame) {
        if (options_.limits.depth >= 0 && Py_ssize_t(frame.level) > options_.limits.depth) over_limit("Limits.depth", frame.start);
    }
    void close() { frames_.pop_back(); }
    void check_limits(size_t at) {
        const Limits& limits = options_.limits;
        if (limits.nodes >= 0 && Py_ssize_t(closed_) > limits.nodes) over_limit("Limits.nodes", at);
        if (limits.seconds >= 0 && (++ticks_ & 63) == 0 && double(clock() - started_) / CLOCKS_PER_SEC > limits.seconds)
            over_limit("Limits.seconds", at);
    }
    [[noreturn]] void over_limit(const char* which, size_t at) const {
        fail("limit", std::string("the document is beyond ") + which, "if you know the file, raise it: limits=mason.Limits(...)", at);
    }
    size_t count(const Frame& frame) const { return values_.size() - frame.base; }
    PyObject** content(const Frame& frame) { return values_.data() + frame.base; }

    // ---- names ----
    NameUse* name_use(std::string_view name);
    Plan* instance_plan(NameUse* use, size_t at);  // null: to be kept as a Record
    Ref reference(NameUse* use, size_t at);
    void count_use(NameUse* use, int which, size_t at);
    size_t told_ = 0;

    // Whether the raw fields of instances go through an upgrade first.
    static bool upgrades(const Plan* plan) {
        return plan->upgrade != Py_None && (plan->kind == Kind::Fields || plan->kind == Kind::NamedTuple);
    }
    size_t resolved_ = 0;  // how many names got their plan
    // Whether instances of the class can be read field by field in the order of a shape.
    static bool quick_instances(const Plan* plan) {
        return (plan->kind == Kind::Fields || plan->kind == Kind::NamedTuple) && plan->upgrade == Py_None && plan->dropped == Py_None;
    }

    // ---- sharing ----
    int32_t shared_slot(int64_t id);              // the place of an id, entered when it is new
    void open_shared(Frame& frame, int64_t id);   // the frame's object has this id
    void define(int32_t place, PyObject* object) { shared_[size_t(place)].object = Ref::share(object); }
    Ref refer(int64_t id);                        // the object, or a placeholder
    Ref placeholder(int32_t place);
    Ref result();                                 // the root, when all is finished
    bool forward(PyObject* value) const { return Py_IS_TYPE(value, state.forward_type); }
    uint32_t target(PyObject* placeholder) const { return uint32_t(PyLong_AsUnsignedLong(reinterpret_cast<Pair*>(placeholder)->first)); }
    void fix(PyObject* holder, PyObject* key, Py_ssize_t index, PyObject* placeholder, Slot slot, NameUse* use = nullptr) {
        fixes_.push_back({Ref::share(holder), Ref::share(key), index, target(placeholder), slot, use});
    }

    // ---- containers: each takes the frame's values off the stack ----
    Ref close_list(Frame& frame);
    Ref close_tuple(Frame& frame);
    Ref close_dict(Frame& frame);                                    // [k, v, k, v ...], all keys str
    Ref close_map(Frame& frame, PyObject* eager);                    // any keys
    Ref make_set(PyObject* list, bool frozen, PyObject* eager, size_t start);
    Ref make_map(PyObject* flat, PyObject* eager, size_t start);     // flat list of keys and values
    Ref close_pairs(Frame& frame);                                   // a slot's [[k, v], ...]
    void clear_values(Frame& frame) {
        while (values_.size() > frame.base) {
            PyObject* value = values_.back();
            values_.pop_back();
            Py_XDECREF(value);
        }
    }

    // ---- instances ----
    Ref new_instance(Plan* plan, size_t at);
    void ensure_instance(Frame& frame);   // makes the eager instance when its id is known
    Ref close_fields(Frame& frame);       // all fields in the order of the shape
    void fields_to_slots(Frame& frame);   // the fast form did not hold
    Ref close_slots(Frame& frame);        // raw [key, value ...] with a plan or a Record
    Ref close_record(Frame& frame);
    Ref slots_dict(Frame& frame, PyObject* into = nullptr);
    Ref build_instance(Frame& frame, Plan* plan);
    Ref build_named_tuple(Frame& frame, Plan* plan);
    Ref build_enum(Frame& frame, Plan* plan);
    Ref build_parts(Frame& frame, Plan* plan);
    Ref later(Frame& frame, PyObject* slots, Ref attributes = {});
    Ref split_attributes(PyObject* slots);
    void set_attribute(PyObject* object, Plan* plan, PyObject* name, PyObject* value, size_t at);
    void set_field(PyObject* object, Plan* plan, const Field& field, PyObject* value, size_t at);
    void fill_missing(PyObject* object, Plan* plan, NameUse* use, const std::vector<PyObject*>& given, PyObject* unset, size_t at);
    std::string named(Plan* plan) const { return plan->name ? utf8(plan->name) : std::string("?"); }
    static std::string utf8(PyObject* text) {
        if (text == Py_None) return {};
        Ref bytes = Ref::steal(PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace"));
        if (!bytes) throw PythonError{};
        return std::string(PyBytes_AS_STRING(bytes.get()), size_t(PyBytes_GET_SIZE(bytes.get())));
    }

    // ---- value forms shared by the formats ----
    Ref make_decimal(PyObject* text, size_t at);
    PyObject* decimal_type();
    Ref small_decimal(int64_t mantissa, int exponent);
    Ref make_fraction(PyObject* numerator, PyObject* denominator, size_t at);
    Ref make_uuid(const unsigned char* sixteen);
    Ref make_datetime(const char* text, size_t size, size_t at, int need_offset = -1);
    Ref make_date(const char* text, size_t size, size_t at);
    Ref make_time(const char* text, size_t size, size_t at);
    Ref make_tag(PyObject* number, PyObject* value, size_t at);
    // The three names whose `$str` alone is read natively: datetime:datetime, datetime:time, decimal:Decimal.
    bool native_text(Frame& frame, Ref& result);
    Ref zone_by_key(std::string_view key, size_t at);

    // ---- the end ----
    void finish();

    LoadOptions options_;
    Collector collector_;
    std::vector<PyObject*> values_;
    std::vector<Frame> frames_;
    std::vector<Shared> shared_;
    bool forwards_ = false;  // whether a placeholder was made

    void forget() {  // for a reader that starts over
        while (!values_.empty()) Ref dropped = pop();
        frames_.clear();
        shared_.clear();
        dense_.clear();
        sparse_.clear();
        fixes_.clear();
        forwards_ = false;
        tasks_.clear();
        nests_.clear();
        for (auto& [name, use] : names_)
            for (size_t& count : use->counts) count = 0;
        told_ = 0;
    }
    size_t closed_ = 0;  // values that already went into containers

    // A dictionary whose keys came twice, with None for values: the next one of these keys is copied from it.
    struct Pattern {
        uint64_t mix = 0;
        Ref dict;
    };
    std::vector<Pattern> patterns_;
    Ref dict_of_pattern(PyObject** items, size_t count, Pattern*& fresh);

    // The same member of an enum, in the same bytes, is not read twice.
    void remember_member(NameUse* use, std::string_view spelling, PyObject* member) {
        if (use != nullptr && use->plan && !forward(member) && use->the_plan()->kind == Kind::Enum && use->spelled.size() < 16 && spelling.size() < 256)
            use->spelled.emplace_back(spelling, Ref::share(member));
    }
    bool take_member(NameUse* use, const void* at, size_t left, size_t& size) {
        for (const auto& [spelling, member] : use->spelled)
            if (left >= spelling.size() && std::memcmp(at, spelling.data(), spelling.size()) == 0) {
                size = spelling.size();
                push(member);
                return true;
            }
        return false;
    }

    // The name that came last, and those that came lately: four places for names of one mix, so that a few names that
    // take turns do not drive each other out.
    NameUse* last_name_ = nullptr;
    static constexpr size_t near_places = 4, near_mixes = 16;
    NameUse* near_[near_places * near_mixes] = {};
    NameUse** near(std::string_view name) {
        size_t size = name.size(), mix = size;
        if (size >= 8) mix += size_t((text::load8(name.data() + size - 8) * 0x9E3779B97F4A7C15ull) >> 40);
        return near_ + mix % near_mixes * near_places;
    }
    NameUse* near_name(std::string_view name) {
        NameUse** places = near(name);
        for (size_t i = 0; i < near_places && places[i] != nullptr; ++i)
            if (places[i]->text == name) return places[i];
        return nullptr;
    }
    void keep_near(NameUse* use) {
        NameUse** places = near(use->text);
        std::copy_backward(places, places + near_places - 1, places + near_places);
        places[0] = use;
    }

  private:
    bool safe_key(PyObject* key) const;
    bool safe_keys(PyObject* const* keys, size_t count, size_t step) const;
    bool safe_slots(PyObject* slots) const;
    bool holds_forward(PyObject* slots) const;
    template <class F>
    static void each_key_list(PyObject* slots, F&& found);
    template <class F>
    static void each_part(PyObject* slots, F&& found);
    void judge_key(PyObject* key, size_t at);
    void judge_keys(PyObject* list, Py_ssize_t step, bool pairs, bool set, size_t at);
    void add_all(PyObject* container, PyObject* content, bool pairs, size_t at);
    void upgrade_items(Frame& frame, Plan* plan, PyObject* slots);
    void fill(Task& task);
    Ref make(Plan* plan, PyObject* slots, size_t at);
    void apply(Fix& fix);

    class Order;
    void run(Task& task);
    void set_attributes(PyObject* object, PyObject* attributes, NameUse* use, size_t at);
    void settle_fix(size_t number);
    void settle();
    void refuse_nests();
    void dismantle() noexcept;
    void break_nest(PyObject* nest) noexcept;
    bool done_ = false;
    const std::string* task_path_ = nullptr;  // of the task that runs

    PyObject* resolve_;
    struct DocumentKeys : KeyMeasure {
        DocumentKeys(const Limits& limits, Builder& builder) : KeyMeasure(limits), builder_(builder) {}
        const Plan* known_plan(PyTypeObject* type) override;
        Builder& builder_;
        std::map<PyTypeObject*, const Plan*> plans_;
        size_t known_ = 0;
    };
    DocumentKeys keys_;
    std::map<std::string, std::unique_ptr<NameUse>, std::less<>> names_;
    std::vector<int32_t> dense_;
    std::map<int64_t, int32_t> sparse_;
    std::vector<Fix> fixes_;
    std::deque<Task> tasks_;
    std::vector<Ref> nests_;  // deques and defaultdicts, which CPython frees by recursion
    Ref decimal_, fraction_, uuid_, uuid_unknown_, empty_tuple_, last_zone_, last_fixed_;
    std::string last_zone_key_;
    int64_t last_fixed_offset_ = 0;
    Py_ssize_t uuid_int_ = -1, uuid_safe_ = -1;
    unsigned ticks_ = 0;
    clock_t started_ = options_.limits.seconds >= 0 ? clock() : 0;  // asking costs a call of the system
};

// The key that an item of such a list stands for (borrowed): the item, or the first of its pair; null where code of a
// class, or a callback of the collector, has changed the pair.
inline PyObject* key_of(PyObject* item, Key slot) {
    if (slot != Key::Map) return item;
    return PyList_CheckExact(item) && PyList_GET_SIZE(item) == 2 ? PyList_GET_ITEM(item, 0) : nullptr;
}

// Calls found(list, slot) for each list of raw slots whose items, or whose pairs' firsts, get hashed.
template <class F>
void Builder::each_key_list(PyObject* slots, F&& found) {
    for (Key slot : {Key::Map, Key::Set, Key::Frozenset}) {
        Ref list = Ref::share(PyDict_GetItemWithError(slots, state.reserved[int(slot)]));  // a hash may empty the slots
        if (list && PyList_CheckExact(list.get())) found(list.get(), slot);
    }
}

// Calls found(part) for each value that raw slots hold themselves, not through an object of the graph.
template <class F>
void Builder::each_part(PyObject* slots, F&& found) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(slots, &position, &key, &value)) {
        Key code = is_text(key) && starts_with_dollar(key) ? reserved_code(key) : Key::None;
        SlotShape shape = slot_shape_of(code);
        if (shape == SlotShape::Array && PyList_CheckExact(value)) {
            for (Py_ssize_t i = 0; i < PyList_GET_SIZE(value); ++i) {
                PyObject* item = PyList_GET_ITEM(value, i);
                if ((code == Key::Map || code == Key::New) && PyList_CheckExact(item))
                    for (Py_ssize_t k = 0; k < PyList_GET_SIZE(item); ++k) found(PyList_GET_ITEM(item, k));
                else
                    found(item);
            }
        } else if (shape == SlotShape::Object && PyDict_CheckExact(value)) {
            PyObject *name, *item;
            Py_ssize_t place = 0;
            while (PyDict_Next(value, &place, &name, &item)) found(item);
        } else {
            found(value);
        }
    }
}

}  // namespace mason
