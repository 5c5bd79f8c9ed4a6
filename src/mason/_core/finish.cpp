// Strategy: see build.hpp. What waits for the end of the document, in order of need: first placeholders are replaced
// by the objects that came later, then the tasks run. A task needs the objects whose placeholders it holds, and its
// keys need all that their hashes look into; that order always holds. What an upgrade, a factory or a trusted class's
// `__hash__` may look at besides comes before it as far as the graph has no cycle. No code runs while the order is
// worked out.
#include "build.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace mason {

const Plan* Builder::DocumentKeys::known_plan(PyTypeObject* type) {
    if (known_ != builder_.resolved_) {
        for (const auto& [name, use] : builder_.names_)
            if (use->plan) plans_[use->the_plan()->cls] = use->the_plan();
        known_ = builder_.resolved_;
    }
    auto found = plans_.find(type);
    return found == plans_.end() ? nullptr : found->second;
}

void Builder::apply(Fix& fix) {
    PyObject* object = shared_[fix.shared].object.get();
    if (object == nullptr) fail("value", "a reference to an id that no object has", "", SIZE_MAX);
    switch (fix.slot) {
        case Slot::ListItem:
            if (fix.index < PyList_GET_SIZE(fix.holder.get())) check(PyList_SetItem(fix.holder.get(), fix.index, Py_NewRef(object)));
            return;
        case Slot::TupleItem: {
            PyObject** item = &reinterpret_cast<PyTupleObject*>(fix.holder.get())->ob_item[fix.index];
            Ref old = Ref::steal(std::exchange(*item, Py_NewRef(object)));
            return;
        }
        case Slot::DictValue: return check(PyDict_SetItem(fix.holder.get(), fix.key.get(), object));
        case Slot::Attribute: return set_attribute(fix.holder.get(), fix.use->the_plan(), fix.key.get(), object, SIZE_MAX);
        case Slot::Second: {
            Ref old = Ref::steal(std::exchange(reinterpret_cast<Pair*>(fix.holder.get())->second, Py_NewRef(object)));
            return;
        }
    }
}

// The order of the tasks. Nodes are tasks and objects, told apart by their addresses; an edge leads to what is needed.
class Builder::Order {
  public:
    explicit Order(Builder& builder) : b_(builder), tasks_(builder.tasks_) {
        for (Task& task : tasks_)
            if (task.object) of_object_.emplace(task.object.get(), &task);
    }

    // Tasks in the order in which they run.
    std::vector<size_t> work_out() {
        refuse_self_made();
        std::vector<const void*> starts;
        for (const Task& task : tasks_) starts.push_back(&task);
        bool looks = false;  // whether user code may look at more than hashes do
        for (const Task& task : tasks_) looks = looks || task.what == Task::Make || calls(task);
        if (looks) {
            std::vector<const void*> all = post_order(starts, Edges::All);
            refuse_seen_unmade(all);
            starts.swap(all);
        }
        std::vector<size_t> order;
        for (const void* node : post_order(starts, Edges::Needed))
            if (is_task(node)) order.push_back(size_t(static_cast<const Task*>(node) - tasks_.data()));
        return order;
    }

  private:
    enum class Edges : uint8_t {
        Needed,  // what must be there, and what hashes look into
        All,     // and whatever code may look at
        Made,    // what tuples, frozensets and objects that are made at once consist of
    };

    bool is_task(const void* node) const {
        return !std::less<const void*>()(node, tasks_.data()) && std::less<const void*>()(node, tasks_.data() + tasks_.size());
    }
    const void* node_of(PyObject* part) const {
        if (!b_.forward(part)) return part;
        int32_t task = b_.shared_[b_.target(part)].task;
        return task < 0 ? nullptr : static_cast<const void*>(&tasks_[size_t(task)]);
    }
    // Whether user code gets the content of the task.
    static bool calls(const Task& task) {
        return task.what == Task::Upgrade || task.what == Task::Defaults || (task.what == Task::Make && upgrades(task.use->the_plan()));
    }
    static bool fixed(PyObject* object) { return PyTuple_Check(object) || PyFrozenSet_Check(object) || Py_IS_TYPE(object, state.tag_type); }

    template <class F>
    void each_key(const Task& task, F&& found) const {
        PyObject* content = task.content.get();
        if (task.what == Task::Set || task.what == Task::Map) {
            Py_ssize_t step = task.what == Task::Map ? 2 : 1;
            for (Py_ssize_t i = 0; i < PyList_GET_SIZE(content); i += step) found(PyList_GET_ITEM(content, i));
        } else if (task.what == Task::Fill || task.what == Task::Make) {
            each_key_list(content, [&](PyObject* list, Key slot) {
                for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
                    PyObject* item = PyList_GET_ITEM(list, i);
                    if (slot != Key::Map)
                        found(item);
                    else if (PyList_CheckExact(item) && PyList_GET_SIZE(item) == 2)  // a callback of the collector may see it
                        found(PyList_GET_ITEM(item, 0));
                }
            });
        }
    }
    template <class F>
    void each_held(const Task& task, F&& found) const {
        PyObject* content = task.content.get();
        if (task.what == Task::Set || task.what == Task::Map) {
            for (Py_ssize_t i = 0; i < PyList_GET_SIZE(content); ++i) found(PyList_GET_ITEM(content, i));
        } else if (task.what == Task::Defaults) {
            std::vector<PyObject*> held;
            KeyMeasure::reach(task.object.get(), held);
            for (PyObject* part : held) found(part);
        } else {
            each_part(content, found);
        }
    }

    void edges(const void* node, Edges which, std::vector<const void*>& out) const {
        auto add = [&](PyObject* part, bool wanted) {
            const void* to = b_.forward(part) ? node_of(part) : wanted ? part : nullptr;
            if (to != nullptr) out.push_back(to);
        };
        if (is_task(node)) {
            const Task& task = *static_cast<const Task*>(node);
            bool looks = which == Edges::All && calls(task);
            each_held(task, [&](PyObject* part) { add(part, looks || (which == Edges::Made && fixed(part))); });
            if (which != Edges::Made)
                each_key(task, [&](PyObject* key) { add(key, which == Edges::All || b_.keys_.is_holder(key) || of_object_.count(key)); });
            return;
        }
        PyObject* object = static_cast<PyObject*>(const_cast<void*>(node));
        auto task = of_object_.find(object);
        if (task != of_object_.end()) out.push_back(task->second);
        std::vector<PyObject*> parts;
        if (which == Edges::All) {
            KeyMeasure::reach(object, parts);
            for (PyObject* part : parts) add(part, PyObject_IS_GC(part));
            if (task != of_object_.end()) each_held(*task->second, [&](PyObject* part) { add(part, PyObject_IS_GC(part)); });
        } else if (which == Edges::Needed) {
            b_.keys_.hashed_parts(object, parts);
            for (PyObject* part : parts) add(part, b_.keys_.is_holder(part) || of_object_.count(part));
        } else if (fixed(object)) {
            KeyMeasure::reach(object, parts);
            for (PyObject* part : parts) add(part, fixed(part));
        }
    }

    struct Level {
        const void* node;
        std::vector<const void*> next;
        uint32_t index, low;
    };

    // Nodes in the order in which a depth-first walk leaves them. Where objects must exist before each other, a cycle
    // is refused; notes which tasks are on a cycle of the walk (Tarjan 1972).
    std::vector<const void*> post_order(const std::vector<const void*>& starts, Edges which) {
        std::vector<const void*> order, open;
        std::unordered_map<const void*, uint32_t> index;  // UINT32_MAX for what was left
        std::unordered_set<const void*> on_line;
        std::vector<Level> line;
        auto enter = [&](const void* node) {
            uint32_t number = uint32_t(index.size());
            index.emplace(node, number);
            on_line.insert(node);
            open.push_back(node);
            line.push_back({node, {}, number, number});
            edges(node, which, line.back().next);
            std::reverse(line.back().next.begin(), line.back().next.end());
        };
        for (const void* start : starts) {
            if (index.count(start)) continue;
            enter(start);
            while (!line.empty()) {
                Level& level = line.back();
                if (!level.next.empty()) {
                    const void* next = level.next.back();
                    level.next.pop_back();
                    auto known = index.find(next);
                    if (known == index.end()) {
                        enter(next);
                        continue;
                    }
                    if (known->second == UINT32_MAX) continue;
                    level.low = std::min(level.low, known->second);
                    if (on_line.count(next)) refuse_cycle(next, which);
                    continue;
                }
                order.push_back(level.node);
                on_line.erase(level.node);
                uint32_t low = level.low;
                if (low == level.index) {
                    bool alone = open.back() == level.node;
                    for (const void* left = nullptr; left != level.node;) {
                        left = open.back();
                        open.pop_back();
                        index[left] = UINT32_MAX;
                        if (!alone && which == Edges::All && is_task(left)) cyclic_.insert(left);
                    }
                }
                line.pop_back();
                if (!line.empty()) line.back().low = std::min(line.back().low, low);
            }
        }
        return order;
    }

    void refuse_cycle(const void* node, Edges which) const {
        if (which == Edges::All) return;
        const Task* task = is_task(node) ? static_cast<const Task*>(node) : nullptr;
        if (task != nullptr && task->what == Task::Make) refuse_made(*task);
        if (which == Edges::Made) b_.fail("value", "a tuple, frozenset or tag contains itself", "", SIZE_MAX);
    }
    [[noreturn]] void refuse_made(const Task& task) const {
        b_.task_path_ = &task.path;
        b_.fail("value", "an object that cannot change is part of its own content: " + b_.named(task.use->the_plan()), "", task.start);
    }

    // What consists of itself through tuples, frozensets and objects made at once has no hash and no end. Only what
    // is put right afterwards, or waits for the end, can be part of such a cycle.
    void refuse_self_made() {
        std::vector<const void*> starts;
        for (const Fix& fix : b_.fixes_)
            if (fix.slot == Slot::TupleItem || fix.slot == Slot::Second) starts.push_back(fix.holder.get());
        for (const Task& task : tasks_)
            if (task.what == Task::Make)
                starts.push_back(&task);
            else if (task.object && PyFrozenSet_Check(task.object.get()))
                starts.push_back(task.object.get());
        if (!starts.empty()) post_order(starts, Edges::Made);
    }

    // Trusted code must not see a placeholder: refuses an object made of keys whose own `__hash__` could look at what
    // leads back to it, or made by an upgrade that would get that.
    void refuse_seen_unmade(const std::vector<const void*>& all) {
        size_t steps = 0;
        for (const Task& task : tasks_) {
            if (task.what != Task::Make || !cyclic_.count(&task)) continue;
            std::unordered_set<const void*> met, hashed;
            std::vector<const void*> seen;
            std::vector<PyObject*> keys;
            auto see = [&](const void* node) {
                if (node == &task) refuse_made(task);
                if (node != nullptr && met.insert(node).second) seen.push_back(node);
            };
            auto key = [&](PyObject* part) {
                if (hashed.insert(node_of(part)).second) keys.push_back(part);
            };
            if (calls(task)) each_held(task, [&](PyObject* part) { see(node_of(part)); });
            each_key(task, key);
            for (; !keys.empty() || !seen.empty(); ++steps) {
                if (steps > 1000000 + 64 * all.size())
                    b_.fail("limit", "the keys of the document take too long to put in order", "", task.start);
                if (!keys.empty()) {
                    PyObject* part = keys.back();
                    keys.pop_back();
                    const void* node = node_of(part);
                    std::vector<PyObject*> parts;
                    if (node != part && node != nullptr)
                        each_held(*static_cast<const Task*>(node), key);
                    else if (PyTuple_CheckExact(part) || PyFrozenSet_CheckExact(part))
                        b_.keys_.hashed_parts(part, parts);
                    else if (runs_code(part))
                        see(node);
                    auto filled = of_object_.find(part);  // a frozenset that is still empty hashes what it gets
                    if (filled != of_object_.end() && !runs_code(part)) each_held(*filled->second, key);
                    for (PyObject* one : parts) key(one);
                    continue;
                }
                std::vector<const void*> next;
                edges(std::exchange(seen.back(), nullptr), Edges::All, next);
                seen.pop_back();
                for (const void* one : next) see(one);
            }
        }
    }
    // Whether hashing or comparing the object may run code of its class.
    static bool runs_code(PyObject* object) {
        PyTypeObject* type = Py_TYPE(object);
        return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) &&
               (type->tp_hash != PyBaseObject_Type.tp_hash || type->tp_richcompare != PyBaseObject_Type.tp_richcompare);
    }

    Builder& b_;
    std::vector<Task>& tasks_;
    std::unordered_map<const void*, const Task*> of_object_;
    std::unordered_set<const void*> cyclic_;
};

void Builder::run(size_t number) {
    Task task = std::move(tasks_[number]);
    task_path_ = task.path.empty() ? nullptr : &task.path;
    size_t before = tasks_.size();
    switch (task.what) {
        case Task::Set:
        case Task::Map: add_all(task.object.get(), task.content.get(), task.what == Task::Map, task.start); break;
        case Task::Fill: fill(task); break;
        case Task::Make:
        case Task::Upgrade: {
            Plan* plan = task.use->the_plan();
            if (!upgrades(plan)) {
                task.object = make(plan, task.content.get(), task.start);
                break;
            }
            Frame& frame = open(Role::Slots, task.start);
            frame.use = task.use;
            frame.eager = task.object.get();
            upgrade_items(frame, plan, task.content.get());
            size_t counted = closed_;
            Ref built = plan->kind == Kind::Fields ? build_instance(frame, plan) : build_named_tuple(frame, plan);
            closed_ = counted;
            close();
            task.object = std::move(built);
            break;
        }
        case Task::Defaults: {
            Plan* plan = task.use->the_plan();
            for (Py_ssize_t i = 0; i < PyList_GET_SIZE(task.content.get()); ++i) {
                Ref name = Ref::share(PyList_GET_ITEM(task.content.get(), i));
                PyObject* factory = PyDict_GetItemWithError(plan->factories, name.get());
                if (factory == nullptr) fail("value", "the code of a trusted class changed the document", "", task.start);
                Ref called = Ref::share(PyTuple_CheckExact(factory) ? PyTuple_GET_ITEM(factory, 0) : factory);
                Ref value = Ref::steal(PyTuple_CheckExact(factory) ? PyObject_CallOneArg(called.get(), task.object.get())
                                                                   : PyObject_CallNoArgs(called.get()));
                if (!value) wrap("a default factory failed", task.start);
                set_attribute(task.object.get(), plan, name.get(), value.get(), task.start);
            }
        }
    }
    if (task.what == Task::Make) {
        define(task.place, task.object.get());
        for (size_t fix : task.fixes) apply(fixes_[fix]);
    }
    for (size_t added = before; added < tasks_.size(); ++added) run(added);  // the defaults of what was upgraded
    task_path_ = nullptr;
}

void Builder::finish() {
    if (options_.limits.nodes >= 0 && Py_ssize_t(closed_ + 1) > options_.limits.nodes) over_limit("Limits.nodes", SIZE_MAX);
    for (const Shared& shared : shared_)
        if (!shared.opened) fail("value", "a reference to an id that no object has", "", SIZE_MAX);
    for (size_t i = 0; i < fixes_.size(); ++i) {
        const Shared& wanted = shared_[fixes_[i].shared];
        if (!wanted.object && wanted.task >= 0)
            tasks_[size_t(wanted.task)].fixes.push_back(i);
        else
            apply(fixes_[i]);
    }
    std::vector<size_t> order;
    if (!tasks_.empty() || !fixes_.empty()) order = Order(*this).work_out();
    collector_.resume();  // from here on Python code of trusted classes may run
    for (size_t number : order) run(number);
    refuse_nests();
    done_ = true;
}

void Builder::refuse_nests() {
    constexpr size_t most = 500;
    if (nests_.size() <= most) return;
    struct Level {
        PyObject* object;
        Ref items;
        Py_ssize_t place = 0;
        size_t height = 0;
    };
    std::map<PyObject*, size_t> heights;  // 0 while it is on the line
    std::vector<Level> line;
    auto enter = [&](PyObject* object) {
        heights[object] = 0;
        Ref items = Ref::check(PyDict_Check(object) ? PyDict_Values(object) : PySequence_List(object));
        line.push_back({object, std::move(items)});
        if (line.size() > most)
            fail("limit", "more than 500 deques or defaultdicts directly in each other", "Python itself could not free them", SIZE_MAX);
    };
    for (const Ref& start : nests_) {
        if (heights.count(start.get())) continue;
        enter(start.get());
        while (!line.empty()) {
            Level& level = line.back();
            if (level.place == PyList_GET_SIZE(level.items.get())) {
                size_t height = level.height + 1;
                if (height > most)
                    fail("limit", "more than 500 deques or defaultdicts directly in each other", "Python itself could not free them", SIZE_MAX);
                heights[level.object] = height;
                line.pop_back();
                if (!line.empty()) line.back().height = std::max(line.back().height, height);
                continue;
            }
            PyObject* item = PyList_GET_ITEM(level.items.get(), level.place++);
            if (!frees_by_recursion(item)) continue;
            auto known = heights.find(item);
            if (known == heights.end())
                enter(item);
            else
                level.height = std::max(level.height, known->second);
        }
    }
}

// Drops what a failed read leaves on the stack level by level: some versions of CPython (3.13.0) free deep nesting
// by recursion that a small thread cannot hold.
void Builder::dismantle() noexcept {
    while (!values_.empty()) {
        PyObject* value = values_.back();
        values_.pop_back();
        if (value == nullptr) continue;
        if (Py_REFCNT(value) == 1) {
            if (PyList_CheckExact(value)) {
                PyListObject* list = reinterpret_cast<PyListObject*>(value);
                Py_ssize_t count = PyList_GET_SIZE(value);
                Py_SET_SIZE(list, 0);
                values_.insert(values_.end(), list->ob_item, list->ob_item + count);
            } else if (PyTuple_CheckExact(value)) {
                PyTupleObject* tuple = reinterpret_cast<PyTupleObject*>(value);
                for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); ++i) values_.push_back(std::exchange(tuple->ob_item[i], nullptr));
            } else if (PyDict_CheckExact(value)) {
                PyObject *key, *item;
                Py_ssize_t position = 0;
                while (PyDict_Next(value, &position, &key, &item)) values_.push_back(Py_NewRef(item));
                PyDict_Clear(value);
            } else if (Py_IS_TYPE(value, state.record_type) || Py_IS_TYPE(value, state.tag_type)) {
                values_.push_back(std::exchange(reinterpret_cast<Pair*>(value)->second, nullptr));
            }
        }
        Py_DECREF(value);
    }
}

// What is dropped half-built is taken apart from outside, so that nothing frees a chain by recursion.
void Builder::break_nest(PyObject* nest) noexcept {
    if (done_) return;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    try {
        call_method(nest, "clear");
    } catch (PythonError&) {
        PyErr_Clear();
    }
    PyErr_Restore(type, value, trace);
}

}  // namespace mason
