// Strategy: see build.hpp. What waits for the end of the document, in order of need: first placeholders are replaced
// by the objects that came later, then objects are made that need no code of a class, then the other tasks run. A task
// needs the objects whose placeholders it holds, and its keys need what their hashes look into. What an upgrade, a
// factory or a `__hash__` written by hand may look at besides comes before it where the graph has no cycle; where it
// has one, nothing is made that such code could see half-made, and what was hashed is looked up again at the end. No
// code runs while the order is worked out.
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
        case Slot::DictValue: {
            int there = PyDict_Contains(fix.holder.get(), fix.key.get());  // or it was taken out of the raw slots
            check(there);
            return there ? check(PyDict_SetItem(fix.holder.get(), fix.key.get(), object)) : void();
        }
        case Slot::Attribute: return set_attribute(fix.holder.get(), fix.use->the_plan(), fix.key.get(), object, SIZE_MAX);
        case Slot::Second: {
            Ref old = Ref::steal(std::exchange(reinterpret_cast<Pair*>(fix.holder.get())->second, Py_NewRef(object)));
            return;
        }
    }
}

// Puts a placeholder right now, or when the object is made that it stands for.
void Builder::settle_fix(size_t number) {
    const Shared& wanted = shared_[fixes_[number].shared];
    if (!wanted.object && wanted.task >= 0)
        tasks_[size_t(wanted.task)].fixes.push_back(number);
    else
        apply(fixes_[number]);
}

// The order of the tasks that are left. A node is a task, or an object as its hash or as any code sees it; an edge
// leads to what has to be there before.
class Builder::Order {
  public:
    explicit Order(Builder& builder) : b_(builder) {
        for (Task& task : b_.tasks_)
            if (!task.done && task.object) of_object_.emplace(task.object.get(), &task);
    }

    // What consists of itself through tuples, frozensets and objects made at once has no hash and no end. Only what
    // is put right afterwards, or waits for the end, can be part of such a cycle.
    void refuse_self_made() {
        std::vector<Node> starts;
        for (const Fix& fix : b_.fixes_)
            if (fix.slot == Slot::TupleItem || fix.slot == Slot::Second) starts.push_back(hashed(fix.holder.get()));
        for (const Task& task : b_.tasks_)
            if (task.what == Task::Make)
                starts.push_back(node(task));
            else if (task.object && PyFrozenSet_Check(task.object.get()))
                starts.push_back(hashed(task.object.get()));
        if (!starts.empty()) walk(starts, Edges::Made);
    }

    // What is made without any code of a class, and what that needs, in order.
    std::vector<Task*> without_code() {
        std::vector<Node> starts;
        for (const Task& task : b_.tasks_)
            if (!task.done && task.what == Task::Make) starts.push_back(node(task));
        if (starts.empty()) return {};
        std::vector<Task*> order = tasks_of(walk(starts, Edges::Needed));
        order.erase(std::remove_if(order.begin(), order.end(), [&](Task* task) { return runs_code_.count(node(*task)) != 0; }), order.end());
        return order;
    }

    // All tasks. Those on a cycle of what code may look at come in the order of what they need; `uncertain` says that
    // there are such, so that a hash may have looked at what was not there yet.
    std::vector<Task*> all(bool& uncertain) {
        std::vector<Node> starts;
        bool looks = false;
        for (const Task& task : b_.tasks_) {
            if (task.done) continue;
            starts.push_back(node(task));
            looks = looks || task.what == Task::Make || calls(task);
            if (!looks) each_key(task, [&](PyObject* key) { looks = looks || !plain_hash(key); });
        }
        if (looks) {
            std::vector<Node> found = walk(starts, Edges::All);
            starts.clear();
            for (Node one : found)
                if ((one & kinds) == is_task) starts.push_back(one);
        }
        std::vector<Task*> order = tasks_of(walk(starts, Edges::Needed));
        uncertain = uncertain_;
        return order;
    }

  private:
    using Node = uintptr_t;  // the address of an object or task, and in its lowest bits which of these it is
    enum : Node { is_hash = 0, is_look = 1, is_task = 2, is_look_task = 3, is_hash_task = 4, kinds = 7 };
    enum class Edges : uint8_t {
        Needed,  // what must exist, and what hashes look into
        All,     // and whatever code of a class may look at
        Made,    // what tuples, frozensets and objects that are made at once consist of
    };

    static Node hashed(PyObject* object) { return reinterpret_cast<Node>(object) | is_hash; }
    static Node look(PyObject* object) { return reinterpret_cast<Node>(object) | is_look; }
    static Node node(const Task& task) { return reinterpret_cast<Node>(&task) | is_task; }
    static Node hash_task(const Task& task) { return reinterpret_cast<Node>(&task) | is_hash_task; }
    static Node look_task(const Task& task) { return reinterpret_cast<Node>(&task) | is_look_task; }
    static const Task& task_of(Node node) { return *reinterpret_cast<const Task*>(node & ~kinds); }
    static PyObject* object_of(Node node) { return reinterpret_cast<PyObject*>(node & ~kinds); }
    static std::vector<Task*> tasks_of(const std::vector<Node>& nodes) {
        std::vector<Task*> found;
        for (Node one : nodes)
            if ((one & kinds) == is_task) found.push_back(const_cast<Task*>(&task_of(one)));
        return found;
    }

    // The task that makes what a placeholder stands for, or null.
    const Task* maker(PyObject* part) const {
        if (!b_.forward(part)) return nullptr;
        int32_t task = b_.shared_[b_.target(part)].task;
        return task < 0 || b_.tasks_[size_t(task)].done ? nullptr : &b_.tasks_[size_t(task)];
    }
    // Whether user code gets the content of the task.
    static bool calls(const Task& task) {
        return task.what == Task::Upgrade || task.what == Task::Defaults || (task.what == Task::Make && upgrades(task.use->the_plan()));
    }
    static bool fixed(PyObject* object) { return PyTuple_Check(object) || PyFrozenSet_Check(object) || Py_IS_TYPE(object, state.tag_type); }
    // Whether hashing the object surely runs no code of a class of the document.
    bool plain_hash(PyObject* object) { return !PyObject_IS_GC(object) || !(KeyMeasure::own_code(Py_TYPE(object)) || fixed(object)); }

    template <class F>
    static void each_key(const Task& task, F&& found) {
        PyObject* content = task.content.get();
        if (task.what == Task::Set || task.what == Task::Map) {
            Py_ssize_t step = task.what == Task::Map ? 2 : 1;
            for (Py_ssize_t i = 0; i < PyList_GET_SIZE(content); i += step) found(PyList_GET_ITEM(content, i));
        } else if (task.what == Task::Fill || task.what == Task::Make) {
            each_key_list(content, [&](PyObject* list, Key slot) {
                for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i)
                    if (PyObject* key = key_of(PyList_GET_ITEM(list, i), slot)) found(key);
            });
        }
    }
    template <class F>
    static void each_held(const Task& task, F&& found) {
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

    // The fields that an upgrade gets and that the hash of what it makes may look into: all but those that the class of
    // today has and leaves out of its hash.
    template <class F>
    static void each_hashed_field(const Task& task, F&& found) {
        const Plan* plan = task.use->the_plan();
        if (plan->hashed == Py_None) return;
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(task.content.get(), &position, &key, &value)) {
            int in_hash = PySequence_Contains(plan->hashed, key);
            check(in_hash);
            if (in_hash || !plan->declares(key)) found(value);
        }
    }

    void edges(Node from, Edges which, std::vector<Node>& out) {
        auto add = [&](PyObject* part, Node (*kind)(PyObject*)) {
            if (const Task* task = maker(part))
                out.push_back(which == Edges::Made ? node(*task) : kind == look ? look_task(*task) : hash_task(*task));
            else if (!b_.forward(part) && PyObject_IS_GC(part))
                out.push_back(kind(part));
        };
        auto looks = [&](Node at) {  // its hash is written by hand
            runs_code_.insert(from);
            if (which == Edges::All) out.push_back(at);
        };
        auto look_at_content = [&](const Task& task) {
            each_held(task, [&](PyObject* part) { add(part, look); });
            if (task.attributes) add(task.attributes.get(), look);
        };
        switch (from & kinds) {
            case is_task: {
                const Task& task = task_of(from);
                each_held(task, [&](PyObject* part) {
                    if (const Task* task = maker(part))
                        out.push_back(node(*task));
                    else if (which == Edges::Made && fixed(part))
                        add(part, hashed);
                });
                if (which == Edges::Made) return;
                each_key(task, [&](PyObject* key) {
                    if (b_.forward(key) || !plain_hash(key)) add(key, hashed);
                });
                if (which == Edges::All && calls(task)) {
                    if (task.what == Task::Defaults) add(task.object.get(), look);
                    look_at_content(task);
                }
                return;
            }
            case is_hash_task: {
                const Task& task = task_of(from);
                out.push_back(node(task));
                each_held(task, [&](PyObject* part) {
                    if (b_.forward(part) || !plain_hash(part)) add(part, hashed);
                });
                if (KeyMeasure::own_code(task.use->the_plan()->cls)) looks(look_task(task));
                return;
            }
            case is_look_task:
                out.push_back(node(task_of(from)));
                return look_at_content(task_of(from));
            default: break;
        }
        PyObject* object = object_of(from);
        auto own = of_object_.find(object);
        if (own != of_object_.end()) out.push_back(node(*own->second));
        std::vector<PyObject*> parts;
        if ((from & kinds) == is_look) {
            KeyMeasure::reach(object, parts);
            for (PyObject* part : parts) add(part, look);
            if (own != of_object_.end()) look_at_content(*own->second);
        } else if (which == Edges::Made) {
            if (fixed(object)) KeyMeasure::reach(object, parts);
            for (PyObject* part : parts)
                if (b_.forward(part) || fixed(part)) add(part, hashed);
        } else {
            std::vector<Ref> looked_into;
            b_.keys_.hashed_parts(object, looked_into);
            for (const Ref& part : looked_into)
                if (b_.forward(part.get()) || !plain_hash(part.get()) || of_object_.count(part.get())) add(part.get(), hashed);
            if (own != of_object_.end() && own->second->what == Task::Upgrade)
                each_hashed_field(*own->second, [&](PyObject* part) { add(part, hashed); });
            if (b_.keys_.looks_around(object)) looks(look(object));
        }
    }

    struct Level {
        Node node;
        std::vector<Node> next;
        uint32_t index, low;
    };

    // Nodes in the order of a depth-first walk: strongly connected components (Tarjan 1972) in the order of need, and in
    // each of them nodes as the walk leaves them. Where objects must exist before each other a cycle is refused.
    std::vector<Node> walk(const std::vector<Node>& starts, Edges which) {
        std::vector<Node> order, open, gone;
        std::unordered_map<Node, uint32_t> index;  // left for what was left
        constexpr uint32_t left = UINT32_MAX;
        std::unordered_set<Node> on_line;
        std::vector<Level> line;
        auto enter = [&](Node node) {
            uint32_t number = uint32_t(index.size());
            index.emplace(node, number);
            on_line.insert(node);
            open.push_back(node);
            line.push_back({node, {}, number, number});
            edges(node, which, line.back().next);
            std::reverse(line.back().next.begin(), line.back().next.end());
            if ((node & kinds) == is_task && calls(task_of(node))) runs_code_.insert(node);
        };
        for (Node start : starts) {
            if (index.count(start)) continue;
            enter(start);
            while (!line.empty()) {
                Level& level = line.back();
                if (!level.next.empty()) {
                    Node next = level.next.back();
                    level.next.pop_back();
                    auto known = index.find(next);
                    if (known == index.end()) {
                        enter(next);
                        continue;
                    }
                    if (known->second == left) {
                        if (runs_code_.count(next)) runs_code_.insert(level.node);
                        continue;
                    }
                    level.low = std::min(level.low, known->second);
                    if (on_line.count(next)) on_cycle(next, level.node, which);
                    continue;
                }
                Node node = level.node;
                gone.push_back(node);
                on_line.erase(node);
                uint32_t low = level.low;
                if (low == level.index) {
                    size_t first = open.size();
                    do index[open[--first]] = left;
                    while (open[first] != node);
                    order.insert(order.end(), gone.end() - ptrdiff_t(open.size() - first), gone.end());
                    gone.resize(gone.size() - (open.size() - first));
                    if (which == Edges::All && open.size() - first > 1) judge_component(open.data() + first, open.size() - first);
                    open.resize(first);
                }
                line.pop_back();
                if (line.empty()) continue;
                line.back().low = std::min(line.back().low, low);
                if (runs_code_.count(node)) runs_code_.insert(line.back().node);
            }
        }
        return order;
    }

    void on_cycle(Node to, Node from, Edges which) {
        if (which == Edges::All) return;
        if ((to & kinds) == is_task && task_of(to).what == Task::Make) refuse_made(task_of(to));
        if (which == Edges::Made) b_.fail("value", "a tuple, frozenset or tag contains itself", "", SIZE_MAX);
        runs_code_.insert(from);  // nobody knows: not to be made with the first
        uncertain_ = true;
    }

    // Trusted code must not see a placeholder: what is made of keys whose own `__hash__` could look at what leads back
    // to it, or by an upgrade that would get that, is refused.
    void judge_component(const Node* nodes, size_t count) {
        const Task* made = nullptr;
        bool looks = false;
        for (size_t i = 0; i < count; ++i) {
            looks = looks || (nodes[i] & 1) != 0;
            if ((nodes[i] & kinds) == is_task) {
                uncertain_ = true;
                if (task_of(nodes[i]).what == Task::Make) made = &task_of(nodes[i]);
            }
        }
        if (made != nullptr && looks) refuse_made(*made);
    }
    [[noreturn]] void refuse_made(const Task& task) const {
        b_.task_path_ = &task.path;
        b_.fail("value", "an object that cannot change is part of its own content: " + b_.named(task.use->the_plan()), "", task.start);
    }

    Builder& b_;
    std::unordered_map<PyObject*, const Task*> of_object_;
    std::unordered_set<Node> runs_code_;
    bool uncertain_ = false;
};

void Builder::run(Task& task) {
    task_path_ = task.path.empty() ? nullptr : &task.path;
    task.done = true;
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
                size_t first = fixes_.size();
                if (task.attributes) set_attributes(task.object.get(), task.attributes.get(), task.use, task.start);
                while (first < fixes_.size()) settle_fix(first++);
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
    for (size_t added = before; added < tasks_.size(); ++added) run(tasks_[added]);  // the defaults of what was upgraded
    task_path_ = nullptr;
}

// Whether every key of a container is found where its hash says.
static bool finds_all(PyObject* container, PyObject* keys) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(keys); ++i) {
        Ref key = Ref::share(PyList_GET_ITEM(keys, i));
        int found = PyDict_Check(container) ? PyDict_Contains(container, key.get()) : PySet_Contains(container, key.get());
        if (found < 0) throw PythonError{};
        if (!found) return false;
    }
    return true;
}

// Where trusted hashes look at each other in a circle, some looked at what was not complete: those containers are
// filled again, until every key is found.
void Builder::settle() {
    for (int round = 0;; ++round) {
        bool changed = false;
        for (Task& task : tasks_)
            if (task.object && PyFrozenSet_Check(task.object.get())) layout::forget_hash(task.object.get());
        for (Task& task : tasks_) {
            bool table = task.object && (PyDict_Check(task.object.get()) || PyAnySet_Check(task.object.get()));
            if (!table || task.what == Task::Upgrade || task.what == Task::Defaults) continue;
            PyObject* container = task.object.get();  // dict's own keys: an OrderedDict fails at one that is not found
            Ref keys = Ref::check(PyDict_Check(container) ? PyDict_Keys(container) : PySequence_List(container));
            if (finds_all(container, keys.get())) continue;
            task_path_ = task.path.empty() ? nullptr : &task.path;
            if (round == 3 || task.what == Task::Make) fail("value", "the hashes of keys depend on each other in a circle", "", task.start);
            changed = true;
            if (PyODict_Check(task.object.get()))
                Ref done = Ref::check(PyObject_CallMethod(reinterpret_cast<PyObject*>(&PyODict_Type), "clear", "O", task.object.get()));
            else if (PyDict_Check(task.object.get()))
                PyDict_Clear(task.object.get());
            else if (!PyFrozenSet_Check(task.object.get()))
                PySet_Clear(task.object.get());
            run(task);
        }
        if (!changed) return;
    }
}

void Builder::finish() {
    if (options_.limits.nodes >= 0 && Py_ssize_t(closed_ + 1) > options_.limits.nodes) over_limit("Limits.nodes", SIZE_MAX);
    for (const Shared& shared : shared_)
        if (!shared.opened) fail("value", "a reference to an id that no object has", "", SIZE_MAX);
    for (size_t i = 0; i < fixes_.size(); ++i) settle_fix(i);
    if (!tasks_.empty() || !fixes_.empty()) {
        std::vector<Task*> order;
        {
            Order graph(*this);
            graph.refuse_self_made();
            order = graph.without_code();
        }
        for (Task* task : order) run(*task);
        bool uncertain = false;
        order = Order(*this).all(uncertain);
        collector_.resume();  // from here on Python code of trusted classes may run
        for (Task* task : order) run(*task);
        if (uncertain) settle();
    }
    collector_.resume();
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
