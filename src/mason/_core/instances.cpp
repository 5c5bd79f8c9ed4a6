// Strategy: see build.hpp. What happens once per instance: frames of raw slots in, objects of a class or inert records
// out. An instance that can exist before its content does is made when its frame opens; the others are made of their
// finished content, at the end of the document where that content has to wait (finish.cpp).
#include "build.hpp"

namespace mason {

// ---- instances ----

Ref Builder::new_instance(Plan* plan, size_t at) {
    if (!empty_tuple_) empty_tuple_ = Ref::check(PyTuple_New(0));
    PyObject* made = PyBaseObject_Type.tp_new(plan->cls, empty_tuple_.get(), nullptr);
    if (made == nullptr) wrap("the class cannot have instances", at);
    return Ref::steal(made);
}

void Builder::ensure_instance(Frame& frame) {
    if (frame.shared < 0 || frame.eager || frame.use == nullptr || frame.use->native) return;
    if (options_.inert || frame.use->keep) {
        Ref record = Ref::check(new_pair(state.record_type, frame.use->name.get(), Ref::check(PyDict_New()).get()));
        define(frame.shared, record.get());
        frame.eager = record.get();
        return;
    }
    Plan* plan = frame.use->the_plan();
    if (plan == nullptr) return;
    Ref made;
    if (plan->kind == Kind::Fields) {
        made = new_instance(plan, frame.start);
    } else if (plan->kind == Kind::Parts && plan->shell != Py_None) {
        CallOut running(collector_);
        PyObject* shell = PyObject_CallNoArgs(plan->shell);
        if (shell == nullptr) wrap("the object cannot be made", frame.start);
        made = Ref::steal(shell);
    } else {
        return;
    }
    define(frame.shared, made.get());
    frame.eager = made.get();
}

void Builder::set_field(PyObject* object, Plan* plan, const Field& field, PyObject* value, size_t at) {
    if (field.offset >= 0) {
        PyObject** slot = reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + field.offset);
        PyObject* old = *slot;
        *slot = Py_NewRef(value);
        Py_XDECREF(old);
        return;
    }
    if (!plan->body->has_dict) fail_field(plan, field.name.get(), " has no field " + json_spelling(field.name.get(), false),
        "a field that is gone: register the class with a version and an upgrade", at);
    if (field.plain) {
        check(PyObject_GenericSetAttr(object, field.name.get(), value));
        return;
    }
    Ref dict = Ref::check(PyObject_GenericGetDict(object, nullptr));
    check(PyDict_SetItem(dict.get(), field.name.get(), value));
}

void Builder::set_attribute(PyObject* object, Plan* plan, PyObject* name, PyObject* value, size_t at) {
    if (const Field* slot = plan->slot_named(name)) return set_field(object, plan, *slot, value, at);
    if (!plan->body->has_dict)
        fail_field(plan, name, " has no field " + json_spelling(name, false),
            "a field that is gone: register the class with a version and an upgrade", at);
    Ref dict = Ref::check(PyObject_GenericGetDict(object, nullptr));
    check(PyDict_SetItem(dict.get(), name, value));
}

Ref Builder::close_fields(Frame& frame) {
    Plan* plan = frame.use->the_plan();
    const Shape* shape = frame.shape;
    size_t n = shape->fields.size();
    PyObject** items = content(frame);
    if (plan->kind == Kind::NamedTuple) {
        closed_ += n;
        PyObject* made = plan->cls->tp_alloc(plan->cls, Py_ssize_t(n));
        if (made == nullptr) throw PythonError{};
        Ref tuple = Ref::steal(made);
        for (size_t i = 0; i < n; ++i) {
            if (forwards_ && forward(items[i])) fix(made, nullptr, Py_ssize_t(i), items[i], Slot::TupleItem);
            reinterpret_cast<PyTupleObject*>(made)->ob_item[i] = items[i];
        }
        values_.resize(frame.base);
        return tuple;
    }
    closed_ += n;
    Ref object = frame.eager ? Ref::share(frame.eager) : new_instance(plan, frame.start);
    if (forwards_)
        for (size_t i = 0; i < n; ++i)
            if (forward(items[i]))
                fix(object.get(), shape->fields[i].name.get(), 0, items[i], Slot::Attribute, frame.use);
    layout::Values view;
    bool in_line = layout::inline_values(object.get(), view) && view.size == 0;
    if (in_line && shape->settled(plan->cls)) {
        layout::store_all(view.values, shape->stores, items, int(n));
        values_.resize(frame.base);
        return object;
    }
    for (size_t i = 0; i < n; ++i) {
        const Field& field = shape->fields[i];
        if (field.offset >= 0) {
            PyObject** slot = reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object.get()) + field.offset);
            Py_XSETREF(*slot, std::exchange(items[i], nullptr));
            continue;
        }
        if (in_line && field.plain) {
            int place = field.place;
            if (place < 0) place = field.place = layout::place_of(plan->cls, field.name.get());
            if (place >= 0 && view.values[place] == nullptr) {
                layout::store(view.values, place, std::exchange(items[i], nullptr));
                continue;
            }
            set_field(object.get(), plan, field, items[i], frame.start);
            in_line = layout::inline_values(object.get(), view);
            continue;
        }
        set_field(object.get(), plan, field, items[i], frame.start);
    }
    clear_values(frame);
    return object;
}

void Builder::fields_to_slots(Frame& frame) {
    size_t n = count(frame);
    std::vector<PyObject*> found(content(frame), content(frame) + n);
    values_.reserve(frame.base + 2 * n);
    values_.resize(frame.base);
    for (size_t i = 0; i < n; ++i) {
        PyObject* name = frame.shape->fields[i].name.get();
        PyObject* key = starts_with_dollar(name) ? PyUnicode_FromFormat("$%U", name) : Py_NewRef(name);
        values_.push_back(key ? key : Py_NewRef(name));
        values_.push_back(found[i]);
    }
    frame.role = Role::Slots;
    if (PyErr_Occurred()) throw PythonError{};
}

// Which reserved key a raw slot key is; None for an attribute.
static Key slot_code(PyObject* key) { return starts_with_dollar(key) ? reserved_code(key) : Key::None; }

static Ref attribute_name(PyObject* key) {
    PyObject* name = starts_with_dollar(key) ? PyUnicode_Substring(key, 1, PyUnicode_GET_LENGTH(key)) : Py_NewRef(key);
    if (name == nullptr) throw PythonError{};
    PyUnicode_InternInPlace(&name);
    return Ref::steal(name);
}

Ref Builder::close_slots(Frame& frame) {
    Ref native;
    if (native_text(frame, native)) return native;
    bool call = false;
    PyObject** items = content(frame);
    size_t n = count(frame) / 2;
    for (size_t i = 0; i < n; ++i) {
        Key code = slot_code(items[2 * i]);
        if (code == Key::Call) call = true;
        if (code == Key::Map && PyList_CheckExact(items[2 * i + 1]))
            for (Py_ssize_t k = 0; k < PyList_GET_SIZE(items[2 * i + 1]); ++k) {
                PyObject* pair = PyList_GET_ITEM(items[2 * i + 1], k);
                if (!PyList_CheckExact(pair) || PyList_GET_SIZE(pair) != 2) fail("value", "$map lists pairs", "", frame.start);
            }
        if (code == Key::Unset && PyList_CheckExact(items[2 * i + 1]))
            for (Py_ssize_t k = 0; k < PyList_GET_SIZE(items[2 * i + 1]); ++k)
                if (!is_text(PyList_GET_ITEM(items[2 * i + 1], k))) fail("value", "$unset lists names", "", frame.start);
    }
    if (options_.inert) count_use(frame.use, call ? 1 : 0, frame.start);
    Plan* plan = instance_plan(frame.use, frame.start);
    if (plan == nullptr) return close_record(frame);
    if (call) refused_name(state.not_trusted, frame.use->name.get());  // nothing is called in this version
    if (upgrades(plan)) {
        Ref object;
        if (plan->kind == Kind::Fields) object = frame.eager ? Ref::share(frame.eager) : new_instance(plan, frame.start);
        Ref slots = slots_dict(frame);
        if (!object) return later(frame, slots.get());
        tasks_.push_back({Task::Upgrade, object, slots, frame.use, frame.start, -1, path()});
        return object;
    }
    switch (plan->kind) {
        case Kind::Fields: return build_instance(frame, plan);
        case Kind::NamedTuple: return build_named_tuple(frame, plan);
        case Kind::Enum: return build_enum(frame, plan);
        default: return build_parts(frame, plan);
    }
}

// The raw slots as a dictionary; the frame's values are used up.
Ref Builder::slots_dict(Frame& frame, PyObject* into) {
    size_t n = count(frame) / 2;
    closed_ += n;
    PyObject** items = content(frame);
    Ref slots = into ? Ref::share(into) : Ref::check(layout::new_dict(Py_ssize_t(n)));
    for (size_t i = 0; i < n; ++i) {
        check(PyDict_SetItem(slots.get(), items[2 * i], items[2 * i + 1]));
        if (forwards_ && forward(items[2 * i + 1])) fix(slots.get(), items[2 * i], 0, items[2 * i + 1], Slot::DictValue);
    }
    if (size_t(PyDict_GET_SIZE(slots.get())) != n) {
        clear_values(frame);
        fail("value", "a slot occurs twice in one object", "", frame.start);
    }
    clear_values(frame);
    return slots;
}

Ref Builder::close_record(Frame& frame) {
    if (frame.eager) {  // made when its id was known
        Ref record = Ref::share(frame.eager);
        slots_dict(frame, reinterpret_cast<Pair*>(record.get())->second);
        return record;
    }
    Ref slots = slots_dict(frame);
    return Ref::check(new_pair(state.record_type, frame.use->name.get(), slots.get()));
}

void Builder::fill_missing(
    PyObject* object, Plan* plan, NameUse* use, const std::vector<PyObject*>& given, PyObject* unset, size_t at) {
    if (!plan->declared) return;
    Ref waiting;  // names of the fields whose factories are called at the end
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(plan->fields); ++i) {
        PyObject* name = PyTuple_GET_ITEM(plan->fields, i);
        bool there = false;
        for (PyObject* other : given) there = there || other == name || PyUnicode_Compare(other, name) == 0;
        if (there) continue;
        if (unset) {
            int left_out = PySequence_Contains(unset, name);
            check(left_out);
            if (left_out) continue;
        }
        PyObject* value = plan->defaults == Py_None ? nullptr : PyDict_GetItemWithError(plan->defaults, name);
        if (value) {
            set_attribute(object, plan, name, value, at);
            continue;
        }
        PyObject* factory = plan->factories == Py_None ? nullptr : PyDict_GetItemWithError(plan->factories, name);
        if (PyErr_Occurred()) throw PythonError{};
        if (factory == nullptr)
            fail_field(plan, name, " has a field " + json_spelling(name, false) + " that the document does not have",
                "give the field a default, or register the class with a version and an upgrade", at);
        if (!waiting) waiting = Ref::check(PyList_New(0));
        check(PyList_Append(waiting.get(), name));
    }
    if (waiting) tasks_.push_back({Task::Defaults, Ref::share(object), waiting, use, at, -1, path()});
}

Ref Builder::build_instance(Frame& frame, Plan* plan) {
    bool upgraded = plan->upgrade != Py_None;
    Ref object = frame.eager ? Ref::share(frame.eager) : new_instance(plan, frame.start);
    size_t n = count(frame) / 2;
    closed_ += n;
    PyObject** items = content(frame);
    PyObject *extra = nullptr, *unset = nullptr;
    std::vector<Ref> names;
    std::vector<PyObject*> given, values;
    for (size_t i = 0; i < n; ++i) {
        PyObject *key = items[2 * i], *value = items[2 * i + 1];
        Key code = slot_code(key);
        if (code == Key::None) {
            names.push_back(attribute_name(key));
            given.push_back(names.back().get());
            values.push_back(value);
        } else if (code == Key::Extra && PyDict_CheckExact(value) && !extra) {
            extra = value;
        } else if (code == Key::Unset && PyList_CheckExact(value) && !unset) {
            unset = value;
        } else {
            fail("value", "the slot " + utf8(key) + " does not fit instances of " + named(plan), "", frame.start);
        }
    }
    for (size_t i = 0; i < given.size(); ++i) {
        if (reserved_attribute(given[i])) fail("value", "no document may set the attribute " + utf8(given[i]), "", frame.start);
        if (!plan->declares(given[i]))
            fail_field(plan, given[i], " has no field " + json_spelling(given[i], false),
                "a field that is gone: register the class with a version and an upgrade", frame.start);
        for (size_t k = 0; k < i; ++k)
            if (n < 64 && PyUnicode_Compare(given[i], given[k]) == 0)
                fail("value", "the field " + json_spelling(given[i], false) + " occurs twice", "", frame.start);
        set_attribute(object.get(), plan, given[i], values[i], frame.start);
        if (forward(values[i])) fix(object.get(), given[i], 0, values[i], Slot::Attribute, frame.use);
    }
    if (n >= 64) {  // the same check, for many fields
        Ref seen = Ref::check(PySet_New(nullptr));
        for (PyObject* name : given) check(PySet_Add(seen.get(), name));
        if (size_t(PySet_GET_SIZE(seen.get())) != given.size()) fail("value", "a field occurs twice in one object", "", frame.start);
    }
    if (extra) {
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(extra, &position, &key, &value)) {
            if (!is_text(key) || reserved_attribute(key) || (plan->declared && plan->declares(key)))
                fail("value", "$extra of " + named(plan) + " names what it may not", "", frame.start);
            if (!plan->body->has_dict && !plan->slot_named(key)) fail_field(plan, key, " takes no further attributes", "", frame.start);
            set_attribute(object.get(), plan, key, value, frame.start);
            if (forward(value)) fix(object.get(), key, 0, value, Slot::Attribute, frame.use);
        }
    }
    fill_missing(object.get(), plan, frame.use, given, unset, frame.start);
    if (plan->dropped != Py_None) {
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(plan->dropped, &position, &key, &value)) set_attribute(object.get(), plan, key, value, frame.start);
    }
    bool whole = !extra && !unset && !upgraded && plan->dropped == Py_None &&
                 (!plan->declared || Py_ssize_t(names.size()) == PyTuple_GET_SIZE(plan->fields));
    if (whole)
        if (const Shape* shape = plan->shape_for(names)) frame.use->shape = shape;
    clear_values(frame);
    return object;
}

// The raw fields of an old version become those that its upgrade makes of them.
void Builder::upgrade_items(Frame& frame, Plan* plan, PyObject* slots) {
    Ref fields = Ref::check(PyDict_New());
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(slots, &position, &key, &value)) {
        if (!is_text(key)) fail("value", "the code of a trusted class changed the document", "", frame.start);
        if (slot_code(key) != Key::None) fail("value", "the slot " + utf8(key) + " does not fit an old version", "", frame.start);
        check(PyDict_SetItem(fields.get(), attribute_name(key).get(), value));
    }
    PyObject* made = PyObject_CallOneArg(plan->upgrade, fields.get());
    if (made == nullptr) wrap(named(plan).c_str(), frame.start);
    Ref result = Ref::steal(made);
    if (!PyDict_CheckExact(made)) fail("value", "an upgrade of " + named(plan) + " returned no dict", "", frame.start);
    position = 0;
    while (PyDict_Next(made, &position, &key, &value)) {
        if (!is_text(key)) fail("value", "an upgrade of " + named(plan) + " returned a key that is not a str", "", frame.start);
        push(starts_with_dollar(key) ? Ref::check(PyUnicode_FromFormat("$%U", key)) : Ref::share(key));
        push(Ref::share(value));
    }
}

Ref Builder::build_named_tuple(Frame& frame, Plan* plan) {
    const Shape* shape = plan->body->shapes[0].get();
    size_t fields = shape->fields.size(), n = count(frame) / 2;
    closed_ += n;
    PyObject** items = content(frame);
    std::vector<Ref> found(fields);
    PyObject* extra = nullptr;
    for (size_t i = 0; i < n; ++i) {
        PyObject *key = items[2 * i], *value = items[2 * i + 1];
        Key code = slot_code(key);
        if (code == Key::Extra && PyDict_CheckExact(value) && plan->body->has_dict && !extra) {
            extra = value;
            continue;
        }
        if (code != Key::None) fail("value", "the slot " + utf8(key) + " does not fit instances of " + named(plan), "", frame.start);
        Ref name = attribute_name(key);
        size_t place = 0;
        while (place < fields && shape->fields[place].name.get() != name.get()) ++place;
        if (place == fields) fail_field(plan, name.get(), " has no field " + json_spelling(name.get(), false),
            "a field that is gone: register the class with a version and an upgrade", frame.start);
        if (found[place]) fail("value", "the field " + json_spelling(name.get(), false) + " occurs twice", "", frame.start);
        found[place] = Ref::share(value);
    }
    for (size_t i = 0; i < fields; ++i) {
        if (found[i]) continue;
        PyObject* name = shape->fields[i].name.get();
        PyObject* value = plan->defaults == Py_None ? nullptr : PyDict_GetItemWithError(plan->defaults, name);
        if (value == nullptr)
            fail_field(plan, name, " has a field " + json_spelling(name, false) + " that the document does not have",
                "give the field a default", frame.start);
        found[i] = Ref::share(value);
    }
    PyObject* made = plan->cls->tp_alloc(plan->cls, Py_ssize_t(fields));
    if (made == nullptr) throw PythonError{};
    Ref tuple = Ref::steal(made);
    for (size_t i = 0; i < fields; ++i) {
        if (forward(found[i].get())) fix(made, nullptr, Py_ssize_t(i), found[i].get(), Slot::TupleItem);
        reinterpret_cast<PyTupleObject*>(made)->ob_item[i] = found[i].release();
    }
    if (extra) {
        PyObject *key, *value;
        Py_ssize_t position = 0;
        Ref dict = Ref::check(PyObject_GenericGetDict(made, nullptr));
        while (PyDict_Next(extra, &position, &key, &value)) {
            if (!is_text(key) || reserved_attribute(key)) fail("value", "$extra names what it may not", "", frame.start);
            check(PyDict_SetItem(dict.get(), key, value));
            if (forward(value)) fix(dict.get(), key, 0, value, Slot::DictValue);
        }
    }
    clear_values(frame);
    return tuple;
}

Ref Builder::build_enum(Frame& frame, Plan* plan) {
    PyObject** items = content(frame);
    if (count(frame) >= 2 && plan->members != Py_None && items[0] == state.reserved[int(Key::Enum)] && is_text(items[1])) {
        PyObject* member = PyDict_GetItemWithError(plan->members, items[1]);
        if (member != nullptr) {
            bool rest = count(frame) == 2 || (count(frame) == 4 && is_text(items[2]) &&
                                                 PyUnicode_CompareWithASCIIString(items[2], "value") == 0);
            if (rest) {
                Ref found = Ref::share(member);
                clear_values(frame);
                return found;
            }
        }
        if (PyErr_Occurred()) throw PythonError{};
    }
    return build_parts(frame, plan);
}

// Whether all keys that making or filling the object hashes are safe ones.
bool Builder::safe_slots(PyObject* slots) const {
    bool safe = true;
    each_key_list(slots, [&](PyObject* list, Key slot) {
        for (Py_ssize_t i = 0; safe && i < PyList_GET_SIZE(list); ++i) {
            PyObject* key = key_of(PyList_GET_ITEM(list, i), slot);
            safe = key != nullptr && safe_key(key);
        }
    });
    return safe;
}

bool Builder::holds_forward(PyObject* slots) const {
    bool found = false;
    each_part(slots, [&](PyObject* part) { found = found || forward(part); });
    return found;
}

// Takes the attributes out of raw slots, for they need not be there when the object is made of the rest; null where
// there is none. Names and values in turn.
Ref Builder::split_attributes(PyObject* slots) {
    Ref found;
    std::vector<Ref> keys;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(slots, &position, &key, &value)) {
        if (slot_code(key) != Key::None) continue;
        keys.push_back(Ref::share(key));
        Ref name = attribute_name(key);
        if (reserved_attribute(name.get())) return {};  // which is refused when the object is made
        if (!found) found = Ref::check(PyList_New(0));
        check(PyList_Append(found.get(), name.get()));
        check(PyList_Append(found.get(), value));
        if (forward(value)) fix(found.get(), nullptr, PyList_GET_SIZE(found.get()) - 1, value, Slot::ListItem);
    }
    for (const Ref& taken : keys) check(PyDict_DelItem(slots, taken.get()));
    return found;
}

// Sets the attributes of an object that was made of its content alone; among them may be what comes later.
void Builder::set_attributes(PyObject* object, PyObject* attributes, NameUse* use, size_t at) {
    for (Py_ssize_t i = 0; i + 1 < PyList_GET_SIZE(attributes); i += 2) {
        Ref name = Ref::share(PyList_GET_ITEM(attributes, i)), value = Ref::share(PyList_GET_ITEM(attributes, i + 1));
        set_attribute(object, use->the_plan(), name.get(), value.get(), at);
        if (forward(value.get())) fix(object, name.get(), 0, value.get(), Slot::Attribute, use);
    }
}

// A placeholder for an object that is made at the end, when its content is finished.
Ref Builder::later(Frame& frame, PyObject* slots, Ref attributes) {
    int32_t place = frame.shared;
    if (place < 0) {
        place = int32_t(shared_.size());
        shared_.emplace_back();
        shared_.back().opened = true;
    }
    shared_[size_t(place)].task = int32_t(tasks_.size());
    tasks_.push_back({Task::Make, Ref(), Ref::share(slots), frame.use, frame.start, place, path(), std::move(attributes)});
    return placeholder(place);
}

Ref Builder::build_parts(Frame& frame, Plan* plan) {
    Ref eager = Ref::share(frame.eager);
    Ref slots = slots_dict(frame);
    bool ready = safe_slots(slots.get()) && !(forwards_ && holds_forward(slots.get()));
    if (plan->shell == Py_None) {
        if (plan->make == Py_None) fail("value", "a document cannot make instances of " + named(plan), "", frame.start);
        if (ready) return make(plan, slots.get(), frame.start);
        Ref attributes = split_attributes(slots.get());
        if (!attributes || !safe_slots(slots.get()) || holds_forward(slots.get())) return later(frame, slots.get(), attributes);
        Ref made = make(plan, slots.get(), frame.start);
        set_attributes(made.get(), attributes.get(), frame.use, frame.start);
        return made;
    }
    if (!eager) {
        CallOut running(collector_);
        PyObject* shell = PyObject_CallNoArgs(plan->shell);
        if (shell == nullptr) wrap("the object cannot be made", frame.start);
        eager = Ref::steal(shell);
    }
    if (frees_by_recursion(eager.get())) nests_.push_back(eager);
    Task task{Task::Fill, eager, slots, frame.use, frame.start};
    if (ready) {
        fill(task);
    } else {
        task.path = path();
        tasks_.push_back(std::move(task));
    }
    return eager;
}

Ref Builder::make(Plan* plan, PyObject* slots, size_t at) {
    each_key_list(slots, [&](PyObject* list, Key slot) { judge_keys(list, 1, slot == Key::Map, slot != Key::Map, at); });
    CallOut running(collector_);
    PyObject* made = PyObject_CallOneArg(plan->make, slots);
    if (made == nullptr) wrap(named(plan).c_str(), at);
    return Ref::steal(made);
}

void Builder::fill(Task& task) {
    each_key_list(task.content.get(),
        [&](PyObject* list, Key slot) { judge_keys(list, 1, slot == Key::Map, slot != Key::Map, task.start); });
    CallOut running(collector_);
    Plan* plan = task.use->the_plan();
    Ref done = Ref::steal(PyObject_CallFunctionObjArgs(plan->fill, task.object.get(), task.content.get(), nullptr));
    if (!done) wrap(named(plan).c_str(), task.start);
}

}  // namespace mason
