// Strategy: see build.hpp. This file has what happens once per container or once per document; the readers have
// what happens once per value.
#include "build.hpp"

#include "text.hpp"

#include <structmember.h>

#include <algorithm>
#include <cmath>

namespace mason {

// ---- errors ----

void Builder::count_use(NameUse* use, int which, size_t at) {
    if (use->counts[which]++ != 0 && at > use->first[which]) return;
    use->first[which] = at;  // an instance is counted when it ends: what holds it may come first
    told_ += use->counts[which] == 1;
    if (told_ <= 1000) use->paths[which] = path();  // who needs more names than that reads no paths
}

void Builder::fail(const char* code, const std::string& message, const char* hint, size_t at) const {
    fail_with(code, message, hint, at, Py_None, Py_None);
}

void Builder::fail_field(Plan* plan, PyObject* field, const std::string& message, const char* hint, size_t at) const {
    fail_with("field", named(plan) + message, hint, at, reinterpret_cast<PyObject*>(plan->cls), field);
}

void Builder::fail_with(
    const char* code, const std::string& message, const char* hint, size_t at, PyObject* cls, PyObject* field) const {
    std::string where = path();
    Ref text = Ref::check(PyUnicode_DecodeUTF8(message.data(), Py_ssize_t(message.size()), "replace"));
    Ref place = Ref::check(PyUnicode_DecodeUTF8(where.data(), Py_ssize_t(where.size()), "replace"));
    PyErr_Clear();
    Ref error = Ref::check(PyObject_CallFunction(state.load_error, "sOsnOOOOO", code, text.get(), hint,
        at == SIZE_MAX ? Py_ssize_t(-1) : Py_ssize_t(at), place.get(), data ? data : Py_None, cls, field,
        json ? Py_True : Py_False));
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.get())), error.get());
    throw PythonError{};
}

void Builder::wrap(const char* what, size_t at) const {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    Ref t = Ref::steal(type), error = Ref::steal(value), b = Ref::steal(trace);
    if (error && PyErr_GivenExceptionMatches(error.get(), state.refused)) {
        Ref reason = Ref::check(PyObject_GetAttrString(error.get(), "reason"));
        Ref hint = Ref::check(PyObject_GetAttrString(error.get(), "hint"));
        fail("value", std::string(what) + " " + utf8(reason.get()), utf8(hint.get()).c_str(), at);
    }
    if (error && PyErr_GivenExceptionMatches(error.get(), state.mason_error)) {  // it only learns its place
        Ref known = Ref::check(PyObject_GetAttrString(error.get(), "path"));
        std::string where = path();
        Ref place = Ref::check(PyUnicode_DecodeUTF8(where.data(), Py_ssize_t(where.size()), "replace"));
        if (known.get() == Py_None) check(PyObject_SetAttrString(error.get(), "path", place.get()));
    }
    if (!error || PyErr_GivenExceptionMatches(error.get(), state.mason_error) ||
        !PyErr_GivenExceptionMatches(error.get(), PyExc_Exception) || PyErr_GivenExceptionMatches(error.get(), PyExc_MemoryError)) {
        PyErr_Restore(t.release(), error.release(), b.release());
        throw PythonError{};
    }
    Ref told = Ref::steal(PyObject_Str(error.get()));
    if (!told) PyErr_Clear();
    std::string message = std::string(what) + ": " + Py_TYPE(error.get())->tp_name;
    if (told) message += ": " + utf8(told.get());
    fail("value", message, "", at);
}

std::string Builder::path() const {
    std::string text = "$";
    size_t depth = frames_.size();
    for (size_t i = 0; i < depth; ++i) {
        if (depth > 60 && i == 30) {
            text += "...";
            i = depth - 30;
        }
        const Frame& frame = frames_[i];
        size_t end = i + 1 < depth ? frames_[i + 1].base : values_.size();
        size_t done = end > frame.base ? end - frame.base : 0;
        auto number = [&](const char* open, size_t n, char close) { text += open + std::to_string(n) + close; };
        auto key_step = [&](PyObject* key) {
            if (is_text(key)) {
                if (starts_with_dollar(key) && PyUnicode_GET_LENGTH(key) > 1) {
                    if (PyUnicode_READ_CHAR(key, 1) != '$') {
                        if (!content_slot(key) && frame.role == Role::Slots) path_key(text, key);
                        return;
                    }
                    if (frame.role == Role::Slots) {
                        Ref stripped = Ref::steal(PyUnicode_Substring(key, 1, PyUnicode_GET_LENGTH(key)));
                        if (stripped) path_key(text, stripped.get());
                        return;
                    }
                }
                return path_key(text, key);
            }
            int overflow = 0;
            if (PyLong_CheckExact(key)) {
                long long n = PyLong_AsLongLongAndOverflow(key, &overflow);
                if (!overflow) {
                    text += '[' + std::to_string(n) + ']';
                    return;
                }
            }
            number("[#", done / 2, ']');
        };
        switch (frame.role) {
            case Role::List:
                if (frame.content == Key::Set || frame.content == Key::Frozenset)
                    number("{", done, '}');
                else if (frame.content != Key::Complex && frame.content != Key::Tag)
                    number("[", done, ']');
                break;
            case Role::Pair: break;
            case Role::Map:
                if (i + 1 < depth && frames_[i + 1].role == Role::Pair) {
                    size_t inner = (i + 2 < depth ? frames_[i + 2].base : values_.size()) - frames_[i + 1].base;
                    if (inner == 0)
                        number("{", done / 2, '}');
                    else
                        key_step(values_[frames_[i + 1].base]);
                }
                break;
            case Role::Fields:
                if (frame.expected > 0 && frame.expected <= frame.shape->fields.size())
                    path_key(text, frame.shape->fields[frame.expected - 1].name.get());
                break;
            case Role::Dict:
            case Role::Form:
            case Role::Slots:
                if (done % 2 == 1 && values_[end - 1] != nullptr)
                    key_step(values_[end - 1]);
                else if (frame.role == Role::Dict && !frame.texts)
                    number("{", done / 2, '}');
                break;
            case Role::Tag:
            case Role::Shared: break;
        }
    }
    return text;
}

// ---- names ----

NameUse* Builder::name_use(std::string_view name) {
    if (last_name_ != nullptr && last_text_ == name) return last_name_;
    auto found = names_.find(name);
    if (found == names_.end()) {
        auto use = std::make_unique<NameUse>();
        use->name = Ref::check(PyUnicode_DecodeUTF8(name.data(), Py_ssize_t(name.size()), "surrogatepass"));
        use->native = name == "datetime:datetime" || name == "datetime:time" || name == "decimal:Decimal";
        found = names_.emplace(std::string(name), std::move(use)).first;
    }
    last_name_ = found->second.get();
    last_text_ = found->first;
    return last_name_;
}

static PyObject* refused_name(PyObject* exception, PyObject* name) {
    PyErr_SetObject(exception, name);
    throw PythonError{};
}

Plan* Builder::instance_plan(NameUse* use, size_t at) {
    if (options_.inert || use->keep) return nullptr;
    if (use->plan) return use->the_plan();
    CallOut running(collector_);
    PyObject* found = PyObject_CallFunction(resolve_, "Os", use->name.get(), "instance");
    if (found == nullptr) wrap(utf8(use->name.get()).c_str(), at);
    Ref owned = Ref::steal(found);
    if (found == Py_None) refused_name(state.not_trusted, use->name.get());
    if (found == Py_Ellipsis) {
        use->keep = true;
        return nullptr;
    }
    if (!Py_IS_TYPE(found, state.plan_type)) raise(PyExc_TypeError, "resolve must return a Plan, None or ...");
    Plan* plan = reinterpret_cast<Plan*>(found);
    if (plan->kind == Kind::Refused) fail("value", named(plan) + " " + utf8(plan->reason), utf8(plan->hint).c_str(), at);
    if (plan->hooked && !options_.judged) refused_name(state.needs_judging, use->name.get());
    use->plan = owned;
    use->own = PyUnicode_Compare(plan->name, use->name.get()) == 0;
    if (!plan->body->shapes.empty()) use->shape = plan->body->shapes.back().get();
    return plan;
}

Ref Builder::reference(NameUse* use, size_t at) {
    if (options_.inert || use->keep_reference) {
        if (options_.inert) count_use(use, 2, at);
        return Ref::check(new_pair(state.name_type, use->name.get(), Py_None));
    }
    if (!use->reference) {
        CallOut running(collector_);
        PyObject* found = PyObject_CallFunction(resolve_, "Os", use->name.get(), "reference");
        if (found == nullptr) wrap(utf8(use->name.get()).c_str(), at);
        Ref owned = Ref::steal(found);
        if (found == Py_None) refused_name(state.not_trusted, use->name.get());
        if (found == Py_Ellipsis) {
            use->keep_reference = true;
            return Ref::check(new_pair(state.name_type, use->name.get(), Py_None));
        }
        if (!PyTuple_CheckExact(found) || PyTuple_GET_SIZE(found) != 1)
            raise(PyExc_TypeError, "resolve must return a 1-tuple, None or ...");
        use->reference = Ref::share(PyTuple_GET_ITEM(found, 0));
    }
    return use->reference;
}

Ref Builder::needs() const {
    struct Row {
        size_t first;
        NameUse* use;
        int which;
    };
    std::vector<Row> rows;
    for (const auto& [name, use] : names_)
        for (int which = 0; which < 3; ++which)
            if (use->counts[which]) rows.push_back({use->first[which], use.get(), which});
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.first < b.first; });
    static const char* const uses[] = {"instance", "call", "reference"};
    Ref list = Ref::check(PyList_New(0));
    for (const Row& row : rows) {
        const std::string& path = row.use->paths[row.which];
        Ref place = Ref::check(PyUnicode_DecodeUTF8(path.data(), Py_ssize_t(path.size()), "replace"));
        Ref item = Ref::check(Py_BuildValue(
            "(OsnO)", row.use->name.get(), uses[row.which], Py_ssize_t(row.use->counts[row.which]), place.get()));
        check(PyList_Append(list.get(), item.get()));
    }
    return list;
}

// ---- sharing ----

int32_t Builder::shared_slot(int64_t id) {
    if (uint64_t(id) <= size) {  // an honest document has fewer ids than bytes
        if (dense_.size() <= size_t(id)) dense_.resize(std::min(size + 1, std::max(size_t(id) + 1, dense_.size() * 2)), -1);
        int32_t& place = dense_[size_t(id)];
        if (place < 0) {
            place = int32_t(shared_.size());
            shared_.emplace_back();
        }
        return place;
    }
    auto [found, fresh] = sparse_.emplace(id, int32_t(shared_.size()));
    if (fresh) shared_.emplace_back();
    return found->second;
}

void Builder::open_shared(Frame& frame, int64_t id) {
    int32_t place = shared_slot(id);
    Shared& shared = shared_[size_t(place)];
    if (shared.opened) fail("value", "two objects have the id " + std::to_string(id), "", frame.start);
    shared.opened = true;
    frame.shared = place;
}

Ref Builder::refer(int64_t id, Frame* holder) {
    int32_t place = shared_slot(id);
    const Shared& shared = shared_[size_t(place)];
    if (shared.object) return shared.object;
    if (holder) holder->forward = true;
    Ref number = Ref::check(PyLong_FromLong(place));
    return Ref::check(new_pair(state.forward_type, number.get(), Py_None));
}

// ---- containers ----

Ref Builder::close_list(Frame& frame) {
    Py_ssize_t n = Py_ssize_t(count(frame));
    if (!frame.spelling) closed_ += frame.role == Role::Map ? size_t(n) / 2 : size_t(n);
    PyObject** items = content(frame);
    Ref list;
    if (frame.eager) {
        list = Ref::share(frame.eager);
        for (Py_ssize_t i = 0; i < n; ++i) check(PyList_Append(list.get(), items[i]));
        if (frame.forward)
            for (Py_ssize_t i = 0; i < n; ++i)
                if (forward(items[i])) fix(list.get(), nullptr, i, items[i], Slot::ListItem);
        clear_values(frame);
        return list;
    }
    list = Ref::check(PyList_New(n));
    if (frame.forward)
        for (Py_ssize_t i = 0; i < n; ++i)
            if (forward(items[i])) fix(list.get(), nullptr, i, items[i], Slot::ListItem);
    if (n) std::memcpy(reinterpret_cast<PyListObject*>(list.get())->ob_item, items, size_t(n) * sizeof(PyObject*));
    values_.resize(frame.base);
    return list;
}

Ref Builder::close_tuple(Frame& frame) {
    Py_ssize_t n = Py_ssize_t(count(frame));
    closed_ += size_t(n);
    PyObject** items = content(frame);
    Ref tuple = Ref::check(PyTuple_New(n));
    if (frame.forward)
        for (Py_ssize_t i = 0; i < n; ++i)
            if (forward(items[i])) fix(tuple.get(), nullptr, i, items[i], Slot::TupleItem);
    if (n) std::memcpy(reinterpret_cast<PyTupleObject*>(tuple.get())->ob_item, items, size_t(n) * sizeof(PyObject*));
    values_.resize(frame.base);
    return tuple;
}

Ref Builder::close_dict(Frame& frame) {
    size_t n = count(frame) / 2;
    closed_ += n;
    PyObject** items = content(frame);
    Ref dict = frame.eager ? Ref::share(frame.eager) : Ref::check(layout::new_dict(Py_ssize_t(n)));
    for (size_t i = 0; i < n; ++i) {
        PyObject *key = items[2 * i], *value = items[2 * i + 1];
        check(PyDict_SetItem(dict.get(), key, value));
        if (frame.forward && forward(value)) fix(dict.get(), key, 0, value, Slot::DictValue);
    }
    if (size_t(PyDict_GET_SIZE(dict.get())) != n && !options_.last_wins) {
        Ref seen = Ref::check(PySet_New(nullptr));
        for (size_t i = 0; i < n; ++i) {
            int twice = PySet_Contains(seen.get(), items[2 * i]);
            check(twice);
            if (twice) {
                std::string key = json_spelling(items[2 * i], false);
                if (key.size() > 200) key = key.substr(0, 200) + "...";
                clear_values(frame);
                fail("value", "the key " + key + " occurs twice in one object",
                    "mason.json.loads keeps the last one, as the standard library does", frame.start);
            }
            check(PySet_Add(seen.get(), items[2 * i]));
        }
    }
    clear_values(frame);
    return dict;
}

bool Builder::safe_key(PyObject* key) const {
    PyTypeObject* type = Py_TYPE(key);
    if (type == &PyUnicode_Type || type == &PyLong_Type || type == &PyFloat_Type || type == &PyBytes_Type ||
        type == &PyBool_Type || key == Py_None || type == &PyComplex_Type)
        return true;
    if (moments::ready()) {
        if (type == PyDateTimeAPI->DateType || type == PyDateTimeAPI->DeltaType || type == Py_TYPE(PyDateTime_TimeZone_UTC)) return true;
        if (type == PyDateTimeAPI->DateTimeType) {
            PyObject* zone = PyDateTime_DATE_GET_TZINFO(key);
            return zone == Py_None || Py_IS_TYPE(zone, Py_TYPE(PyDateTime_TimeZone_UTC));
        }
    }
    if (type == &PyTuple_Type && pending_.empty() && fixes_.empty()) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); ++i) {  // one level: what is deeper waits for the end
            PyObject* item = PyTuple_GET_ITEM(key, i);
            if (PyTuple_CheckExact(item) || !safe_key(item)) return false;
        }
        return true;
    }
    return false;
}

bool Builder::hash_keys_now(PyObject* const* keys, size_t n, size_t step) {
    for (size_t i = 0; i < n; ++i)
        if (!safe_key(keys[i * step])) return false;
    return true;
}

void Builder::judge_key(PyObject* key, size_t at) {
    if (const char* why = keys_.refuse(key)) fail("limit", why, "raise Limits(key_nodes=..., key_depth=...)", at);
    if (keys_.too_much(size)) fail("limit", "the keys of the document take too long to hash", "raise Limits(key_nodes=...)", at);
}

// Adds what `content` lists to a set or dictionary; keys that became equal, or that cannot be hashed, are errors.
void Builder::add_all(PyObject* container, PyObject* content, bool pairs, size_t at) {
    Py_ssize_t step = pairs ? 2 : 1, n = PyList_GET_SIZE(content) / step;
    std::vector<KeyMeasure::Hashed> hashes;
    keys_.begin();
    bool many = n > options_.limits.collisions;
    for (Py_ssize_t i = 0; i < n && i * step < PyList_GET_SIZE(content); ++i) {
        Ref key = Ref::share(PyList_GET_ITEM(content, i * step));
        judge_key(key.get(), at);
        count_hash(key.get(), many, hashes, at);
    }
    if (const char* why = keys_.mixed()) fail("limit", why, "", at);
    if (keys_.collide(hashes, !pairs))
        fail("limit", "the keys of a set or dict collide, which makes it slow beyond measure",
            "if you know the file, lift Limits(collisions=None)", at);
    if (keys_.too_much(size)) fail("limit", "the keys of the document take too long to hash", "raise Limits(key_nodes=...)", at);
    Py_ssize_t before = pairs ? PyDict_GET_SIZE(container) : PySet_GET_SIZE(container);
    if (PyFrozenSet_CheckExact(container)) {
        if (layout::fill_frozenset(container, content) < 0) wrap("a key cannot be used", at);
        n = PyList_GET_SIZE(content);
    } else {
        for (Py_ssize_t i = 0; i < n; ++i) {
            if (PyList_GET_SIZE(content) != n * step) raise(PyExc_RuntimeError, "a key's hash changed the document");
            Ref key = Ref::share(PyList_GET_ITEM(content, i * step));
            int status = pairs ? PyDict_SetItem(container, key.get(), Ref::share(PyList_GET_ITEM(content, i * step + 1)).get())
                               : PySet_Add(container, key.get());
            if (status < 0) wrap("a key cannot be used", at);
        }
    }
    Py_ssize_t after = pairs ? PyDict_GET_SIZE(container) : PySet_GET_SIZE(container);
    if (after - before != n && !(pairs && options_.last_wins))
        fail("value", pairs ? "two keys of a dict are equal" : "two elements of a set are equal", "", at);
}

Ref Builder::make_set(PyObject* list, bool frozen, PyObject* eager, size_t start) {
    Py_ssize_t n = PyList_GET_SIZE(list);
    Ref set = eager ? Ref::share(eager) : Ref::check(frozen ? PyFrozenSet_New(nullptr) : PySet_New(nullptr));
    if (n == 0) return set;
    if (!hash_keys_now(reinterpret_cast<PyListObject*>(list)->ob_item, size_t(n), 1))
        pending_.push_back({set, Ref::share(list), nullptr, false, start});
    else
        add_all(set.get(), list, false, start);
    return set;
}

Ref Builder::make_map(PyObject* flat, PyObject* eager, size_t start) {
    Py_ssize_t n = PyList_GET_SIZE(flat) / 2;
    Ref dict = eager ? Ref::share(eager) : Ref::check(layout::new_dict(n));
    if (n == 0) return dict;
    PyObject** items = reinterpret_cast<PyListObject*>(flat)->ob_item;
    bool held = !hash_keys_now(items, size_t(n), 2);
    for (Py_ssize_t i = 0; !held && i < n; ++i) held = forward(items[2 * i + 1]);
    if (held)
        pending_.push_back({dict, Ref::share(flat), nullptr, true, start});
    else
        add_all(dict.get(), flat, true, start);
    return dict;
}

Ref Builder::close_map(Frame& frame, PyObject* eager) {
    frame.eager = nullptr;
    frame.role = Role::Map;
    Ref flat = close_list(frame);
    return make_map(flat.get(), eager, frame.start);
}

Ref Builder::close_pairs(Frame& frame) {
    size_t n = count(frame) / 2;
    closed_ += n;
    PyObject** items = content(frame);
    Ref list = Ref::check(PyList_New(Py_ssize_t(n)));
    for (size_t i = 0; i < n; ++i) {
        Ref pair = Ref::check(PyList_New(2));
        for (Py_ssize_t k = 0; k < 2; ++k) {
            PyObject* item = items[2 * i + size_t(k)];
            if (forward(item)) fix(pair.get(), nullptr, k, item, Slot::ListItem);
            PyList_SET_ITEM(pair.get(), k, Py_NewRef(item));
        }
        PyList_SET_ITEM(list.get(), Py_ssize_t(i), pair.release());
    }
    clear_values(frame);
    return list;
}

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
            if (frame.forward && forward(items[i])) fix(made, nullptr, Py_ssize_t(i), items[i], Slot::TupleItem);
            reinterpret_cast<PyTupleObject*>(made)->ob_item[i] = items[i];
        }
        values_.resize(frame.base);
        return tuple;
    }
    closed_ += n;
    Ref object = frame.eager ? Ref::share(frame.eager) : new_instance(plan, frame.start);
    if (frame.forward)
        for (size_t i = 0; i < n; ++i)
            if (forward(items[i]))
                fix(object.get(), shape->fields[i].name.get(), 0, items[i], Slot::Attribute, frame.use);
    layout::Values view;
    bool in_line = layout::inline_values(object.get(), view) && view.size == 0;
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
    values_.resize(frame.base);
    for (size_t i = 0; i < n; ++i) {
        PyObject* name = frame.shape->fields[i].name.get();
        Ref key = starts_with_dollar(name) ? Ref::steal(PyUnicode_FromFormat("$%U", name)) : Ref::share(name);
        values_.push_back(key.release());
        values_.push_back(found[i]);
        if (values_[values_.size() - 2] == nullptr) {
            PyErr_Clear();
            values_[values_.size() - 2] = Py_NewRef(name);
        }
    }
    frame.role = Role::Slots;
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
    if (call)
        fail("value", "a call of " + utf8(frame.use->name.get()) + ", which this version does not make",
            "mason.read shows the document without it", frame.start);
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
        if (forward(items[2 * i + 1])) fix(slots.get(), items[2 * i], 0, items[2 * i + 1], Slot::DictValue);
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
        bool takes_self = PyTuple_CheckExact(factory);
        PyObject* function = takes_self ? PyTuple_GET_ITEM(factory, 0) : factory;
        missing_.push_back({Ref::share(object), Ref::share(name), Ref::share(function), use, takes_self});
    }
}

Ref Builder::build_instance(Frame& frame, Plan* plan) {
    bool upgraded = plan->upgrade != Py_None;
    if (upgraded) upgrade_items(frame, plan);
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

// Replaces the raw fields of an old version by those that its upgrade makes of them.
void Builder::upgrade_items(Frame& frame, Plan* plan) {
    if (frame.forward || !fixes_.empty()) fail("value", "a cycle leads through an object of an old version of " + named(plan), "", frame.start);
    Ref fields = Ref::check(PyDict_New());
    PyObject** items = content(frame);
    for (size_t i = 0; i < count(frame); i += 2) {
        if (slot_code(items[i]) != Key::None) fail("value", "the slot " + utf8(items[i]) + " does not fit an old version", "", frame.start);
        check(PyDict_SetItem(fields.get(), attribute_name(items[i]).get(), items[i + 1]));
    }
    CallOut running(collector_);
    PyObject* made = PyObject_CallOneArg(plan->upgrade, fields.get());
    if (made == nullptr) wrap(named(plan).c_str(), frame.start);
    Ref result = Ref::steal(made);
    if (!PyDict_CheckExact(made)) fail("value", "an upgrade of " + named(plan) + " returned no dict", "", frame.start);
    clear_values(frame);
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(made, &position, &key, &value)) {
        if (!is_text(key)) fail("value", "an upgrade of " + named(plan) + " returned a key that is not a str", "", frame.start);
        push(starts_with_dollar(key) ? Ref::check(PyUnicode_FromFormat("$%U", key)) : Ref::share(key));
        push(Ref::share(value));
    }
}

Ref Builder::build_named_tuple(Frame& frame, Plan* plan) {
    const Shape* shape = plan->body->shapes[0].get();
    if (plan->upgrade != Py_None) upgrade_items(frame, plan);
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

void Builder::check_pairs_content(PyObject* slots, size_t at) {
    static const Key hashed[] = {Key::Map, Key::Set, Key::Frozenset};
    for (Key slot : hashed) {
        PyObject* list = PyDict_GetItemWithError(slots, state.reserved[int(slot)]);
        if (list == nullptr || !PyList_CheckExact(list)) continue;
        std::vector<KeyMeasure::Hashed> hashes;
        keys_.begin();
        bool many = PyList_GET_SIZE(list) > options_.limits.collisions;
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
            PyObject* key = PyList_GET_ITEM(list, i);
            if (slot == Key::Map) {
                if (!PyList_CheckExact(key) || PyList_GET_SIZE(key) != 2) fail("value", "$map lists pairs", "", at);
                key = PyList_GET_ITEM(key, 0);
            }
            Ref kept = Ref::share(key);
            judge_key(key, at);
            count_hash(key, many, hashes, at);
        }
        if (const char* why = keys_.mixed()) fail("limit", why, "", at);
        if (keys_.collide(hashes, slot != Key::Map))
            fail("limit", "the keys of a set or dict collide, which makes it slow beyond measure",
                "if you know the file, lift Limits(collisions=None)", at);
    }
}

// Whether making the object hashes keys whose hash may run code of a class.
bool Builder::hashes_unsafely(PyObject* slots) const {
    for (Key slot : {Key::Map, Key::Set, Key::Frozenset}) {
        PyObject* list = PyDict_GetItemWithError(slots, state.reserved[int(slot)]);
        if (list == nullptr || !PyList_CheckExact(list)) continue;
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
            PyObject* key = PyList_GET_ITEM(list, i);
            if (slot == Key::Map && PyList_CheckExact(key) && PyList_GET_SIZE(key) == 2) key = PyList_GET_ITEM(key, 0);
            if (!safe_key(key)) return true;
        }
    }
    return false;
}

// Makes the keys of a slot ready to be hashed now: what their hashes look into and what waits for the end is filled.
// False when a hash would look into what is not complete yet: a cycle, or a reference ahead.
bool Builder::settle_keys(PyObject* slots) {
    std::map<PyObject*, size_t> waiting;
    for (size_t i = 0; i < pending_.size(); ++i) waiting.emplace(pending_[i].container.get(), i);
    std::map<PyObject*, bool> met;  // true for what is under way
    for (const Frame& frame : frames_)
        if (frame.eager != nullptr) met.emplace(frame.eager, true);
    std::vector<PyObject*> line;
    std::vector<bool> wanted(pending_.size(), false);
    bool sound = true;
    auto add = [&](PyObject* object) {
        bool identity = Py_TYPE(object)->tp_hash == PyBaseObject_Type.tp_hash;
        bool holder = PyTuple_Check(object) || PyFrozenSet_Check(object) || forward(object) || waiting.count(object) ||
                      (!identity && keys_.known_plan(Py_TYPE(object)));
        if (!holder) return;
        auto [found, fresh] = met.emplace(object, false);
        sound = sound && !forward(object) && (fresh || !found->second);
        if (fresh) line.push_back(object);
    };
    auto add_keys = [&](PyObject* list, Py_ssize_t step) {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i += step) {
            PyObject* key = PyList_GET_ITEM(list, i);
            add(step == 1 && PyList_CheckExact(key) && PyList_GET_SIZE(key) == 2 ? PyList_GET_ITEM(key, 0) : key);
        }
    };
    auto add_slots = [&](PyObject* from) {
        for (Key slot : {Key::Map, Key::Set, Key::Frozenset}) {
            PyObject* list = PyDict_GetItemWithError(from, state.reserved[int(slot)]);
            if (list != nullptr && PyList_CheckExact(list)) add_keys(list, 1);
        }
    };
    add_slots(slots);
    while (sound && !line.empty()) {
        PyObject* object = line.back();
        line.pop_back();
        auto held = waiting.find(object);
        if (held != waiting.end()) {
            const Pending& pending = pending_[held->second];
            wanted[held->second] = true;
            if (pending.use)
                add_slots(pending.content.get());
            else
                add_keys(pending.content.get(), pending.pairs ? 2 : 1);
        }
        const Plan* plan = keys_.known_plan(Py_TYPE(object));
        if (plan != nullptr && plan->kind == Kind::Fields) {
            std::vector<PyObject*> found;
            KeyMeasure::attributes(object, plan, found);
            for (PyObject* item : found) add(item);
        } else if (PyTuple_Check(object) || PyFrozenSet_Check(object)) {
            Py_ssize_t place = 0;
            while (PyObject* item = KeyMeasure::next(object, place)) add(item);
        }
    }
    if (!sound) return false;
    CallOut running(collector_);
    std::vector<size_t> order = fill_order();
    std::vector<Pending> held, rest;
    held.swap(pending_);
    for (size_t i = 0; i < held.size(); ++i)
        if (!wanted[i]) rest.push_back(held[i]);
    pending_ = std::move(rest);
    for (size_t place : order)
        if (wanted[place]) fill(held[place]);
    return true;
}

// A key's hash, where the table that it goes into must be played through first.
void Builder::count_hash(PyObject* key, bool many, std::vector<KeyMeasure::Hashed>& hashes, size_t at) {
    Py_ssize_t nodes = keys_.last_nodes();
    if (!many && nodes <= 8) return;
    Py_hash_t hash = PyObject_Hash(key);
    if (hash == -1) wrap("a key cannot be hashed", at);
    hashes.push_back({hash, nodes});
}

const Plan* Builder::DocumentKeys::known_plan(PyTypeObject* type) {
    if (names_ != builder_.names_.size()) {
        for (const auto& [name, use] : builder_.names_)
            if (use->plan) plans_[use->the_plan()->cls] = use->the_plan();
        names_ = builder_.names_.size();
    }
    auto found = plans_.find(type);
    return found == plans_.end() ? nullptr : found->second;
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
    Ref cleared = Ref::steal(PyObject_CallMethod(nest, "clear", nullptr));
    if (!cleared) PyErr_Clear();
    PyErr_Restore(type, value, trace);
}

static bool needs_hash(PyObject* slots) {
    for (Key slot : {Key::Map, Key::Set, Key::Frozenset})
        if (PyDict_GetItemWithError(slots, state.reserved[int(slot)]) != nullptr) return true;
    return false;
}

Ref Builder::build_parts(Frame& frame, Plan* plan) {
    Ref eager = Ref::share(frame.eager);
    size_t start = frame.start;
    bool unfinished = frame.forward;
    NameUse* use = frame.use;
    Ref slots = slots_dict(frame);
    if (plan->shell != Py_None) {
        if (!eager) {
            CallOut running(collector_);
            PyObject* shell = PyObject_CallNoArgs(plan->shell);
            if (shell == nullptr) wrap("the object cannot be made", start);
            eager = Ref::steal(shell);
        }
        if (frees_by_recursion(eager.get())) nests_.push_back(eager);
        Pending pending{eager, slots, use, false, start};
        if (unfinished || needs_hash(slots.get()))
            pending_.push_back(std::move(pending));
        else
            fill(pending);
        return eager;
    }
    if (plan->make == Py_None) fail("value", "a document cannot make instances of " + named(plan), "", start);
    if (!options_.judged && hashes_unsafely(slots.get())) refused_name(state.needs_judging, use->name.get());
    if (needs_hash(slots.get()) && !(fixes_.empty() && pending_.empty()) && !settle_keys(slots.get()))
        fail("value", "a reference ahead, or a cycle, leads into the keys of " + named(plan), "", start);
    if (unfinished) fail("value", "an object that cannot change is part of its own content: " + named(plan), "", start);
    check_pairs_content(slots.get(), start);
    CallOut running(collector_);
    PyObject* made = PyObject_CallOneArg(plan->make, slots.get());
    if (made == nullptr) wrap(named(plan).c_str(), start);
    return Ref::steal(made);
}

// ---- value forms ----

static bool all_digits(const char* at, const char* end) {
    for (const char* c = at; c < end; ++c)
        if (*c < '0' || *c > '9') return false;
    return at < end;
}

// The grammar of str(Decimal), ASCII only.
static bool decimal_grammar(const char* at, const char* end, bool& special, int& exponent_digits) {
    special = false;
    exponent_digits = 0;
    if (at < end && (*at == '-' || *at == '+')) ++at;
    std::string_view rest(at, size_t(end - at));
    if (rest == "Infinity") return special = true;
    if (rest.substr(0, 4) == "sNaN") return special = true, rest.size() == 4 || all_digits(at + 4, end);
    if (rest.substr(0, 3) == "NaN") return special = true, rest.size() == 3 || all_digits(at + 3, end);
    const char* stop = at;
    while (stop < end && *stop != 'E' && *stop != 'e') ++stop;
    const char* point = at;
    while (point < stop && *point != '.') ++point;
    bool whole = all_digits(at, point), part = point < stop && all_digits(point + 1, stop);
    if (point < stop ? !(whole && part) && !(point == at && part) : !whole) return false;
    if (stop == end) return true;
    const char* power = stop + 1;
    if (power < end && (*power == '-' || *power == '+')) ++power;
    exponent_digits = int(std::min<ptrdiff_t>(end - power, 100));
    return all_digits(power, end);
}

Ref Builder::make_decimal(PyObject* text, size_t at) {
    if (!is_text(text) || !PyUnicode_IS_ASCII(text)) fail("value", "a decimal is its digits as text", "", at);
    const char* from = static_cast<const char*>(PyUnicode_DATA(text));
    bool special;
    int exponent_digits;
    if (!decimal_grammar(from, from + PyUnicode_GET_LENGTH(text), special, exponent_digits))
        fail("value", "not a decimal number", "", at);
    if (!decimal_) {
        CallOut running(collector_);
        Ref module = Ref::check(PyImport_ImportModule("decimal"));
        decimal_ = Ref::check(PyObject_GetAttrString(module.get(), "Decimal"));
    }
    PyObject* made = PyObject_CallOneArg(decimal_.get(), text);
    if (made == nullptr) wrap("not a decimal number that Python can hold", at);
    Ref number = Ref::steal(made);
    if (!special && exponent_digits > 15) {  // a context that does not trap gives NaN for what is out of range
        int sound = PyObject_RichCompareBool(made, made, Py_EQ);
        Ref again = Ref::check(PyObject_CallMethod(made, "is_nan", nullptr));
        if (sound < 0) throw PythonError{};
        if (again.get() == Py_True) fail("value", "not a decimal number that Python can hold", "", at);
    }
    return number;
}

Ref Builder::make_fraction(PyObject* numerator, PyObject* denominator, size_t at) {
    for (PyObject* part : {numerator, denominator}) {
        if (!PyLong_CheckExact(part)) fail("value", "a fraction has two ints", "", at);
        // a greatest common divisor is quadratic
        if (beyond_digits(part)) fail("limit", "a fraction of more than 4300 digits", "", at);
    }
    Ref one = Ref::check(PyLong_FromLong(1));
    int positive = PyObject_RichCompareBool(denominator, one.get(), Py_GE);
    check(positive);
    if (!positive) fail("value", "the denominator of a fraction is at least 1", "", at);
    CallOut running(collector_);
    if (!fraction_) {
        Ref module = Ref::check(PyImport_ImportModule("fractions"));
        fraction_ = Ref::check(PyObject_GetAttrString(module.get(), "Fraction"));
    }
    return Ref::check(PyObject_CallFunctionObjArgs(fraction_.get(), numerator, denominator, nullptr));
}

static Py_ssize_t slot_offset(PyObject* cls, const char* name) {
    Ref descriptor = Ref::check(PyObject_GetAttrString(cls, name));
    if (!Py_IS_TYPE(descriptor.get(), &PyMemberDescr_Type)) raise(PyExc_TypeError, "uuid.UUID has no slots");
    return reinterpret_cast<PyMemberDescrObject*>(descriptor.get())->d_member->offset;
}

Ref Builder::make_uuid(const unsigned char* sixteen) {
    if (!uuid_) {
        CallOut running(collector_);
        Ref module = Ref::check(PyImport_ImportModule("uuid"));
        Ref cls = Ref::check(PyObject_GetAttrString(module.get(), "UUID"));
        Ref safe = Ref::check(PyObject_GetAttrString(module.get(), "SafeUUID"));
        uuid_unknown_ = Ref::check(PyObject_GetAttrString(safe.get(), "unknown"));
        uuid_int_ = slot_offset(cls.get(), "int");
        uuid_safe_ = slot_offset(cls.get(), "is_safe");
        uuid_ = cls;
    }
    if (!empty_tuple_) empty_tuple_ = Ref::check(PyTuple_New(0));
    Ref number = Ref::check(_PyLong_FromByteArray(sixteen, 16, 0, 0));
    Ref made = Ref::check(PyBaseObject_Type.tp_new(reinterpret_cast<PyTypeObject*>(uuid_.get()), empty_tuple_.get(), nullptr));
    char* start = reinterpret_cast<char*>(made.get());
    *reinterpret_cast<PyObject**>(start + uuid_int_) = number.release();
    *reinterpret_cast<PyObject**>(start + uuid_safe_) = Py_NewRef(uuid_unknown_.get());
    return made;
}

Ref Builder::zone_by_key(std::string_view key, size_t at) {
    if (last_zone_ && last_zone_key_ == key) return last_zone_;
    CallOut running(collector_);
    Ref plan = Ref::check(PyObject_CallFunction(state.kind_plan, "s", "zoneinfo:ZoneInfo"));
    if (!Py_IS_TYPE(plan.get(), state.plan_type)) raise(PyExc_TypeError, "no plan for zoneinfo:ZoneInfo");
    Ref text = Ref::check(PyUnicode_DecodeUTF8(key.data(), Py_ssize_t(key.size()), "replace"));
    Ref slots = Ref::check(Py_BuildValue("{OO}", state.reserved[int(Key::Str)], text.get()));
    PyObject* zone = PyObject_CallOneArg(reinterpret_cast<Plan*>(plan.get())->make, slots.get());
    if (zone == nullptr) wrap("a time zone", at);
    last_zone_ = Ref::steal(zone);
    last_zone_key_ = std::string(key);
    return last_zone_;
}

// Digits of a fraction beyond the sixth must be zero; they are taken out before the text is read.
static std::string without_idle_zeros(const char* text, size_t size) {
    std::string out;
    bool fraction = false;
    int places = 0;
    for (size_t i = 0; i < size; ++i) {
        char c = text[i];
        if (fraction && c >= '0' && c <= '9') {
            if (++places > 6 && c == '0') continue;
        } else {
            fraction = c == '.';
            places = 0;
        }
        out += c;
    }
    return out;
}

Ref Builder::make_datetime(const char* text, size_t size, size_t at, int need_offset) {
    moments::fetch();
    std::string trimmed;
    if (size > 26) {
        trimmed = without_idle_zeros(text, size);
        text = trimmed.data();
        size = trimmed.size();
    }
    const char *c = text, *end = text + size;
    moments::Wall wall;
    int64_t offset = 0;
    bool has_offset = false, sound = moments::read_date(c, end, wall);
    sound = sound && c < end && (*c == 'T' || *c == 't' || *c == ' ') && moments::read_clock(++c, end, wall);
    if (sound && c < end && *c != '[') has_offset = sound = moments::read_offset(c, end, offset);
    Ref zone = Ref::share(Py_None);
    if (sound && c < end) {
        sound = *c == '[' && end[-1] == ']' && need_offset < 0;
        if (sound) zone = zone_by_key(std::string_view(c + 1, size_t(end - c - 2)), at);
    } else if (sound && has_offset) {
        if (!last_fixed_ || last_fixed_offset_ != offset) {
            last_fixed_ = moments::zone_of(offset);
            last_fixed_offset_ = offset;
        }
        zone = last_fixed_;
    }
    if (sound && need_offset >= 0 && has_offset != (need_offset == 1)) sound = false;
    if (!sound) fail("value", "not a date and time", "they look like 2026-11-22T10:33:00.000005+01:00", at);
    PyObject* made = PyDateTimeAPI->DateTime_FromDateAndTime(wall.year, wall.month, wall.day, wall.hour, wall.minute, wall.second,
        wall.microsecond, zone.get(), PyDateTimeAPI->DateTimeType);
    if (made == nullptr) wrap("not a date and time", at);
    return Ref::steal(made);
}

Ref Builder::make_date(const char* text, size_t size, size_t at) {
    moments::fetch();
    const char* c = text;
    moments::Wall wall;
    if (!moments::read_date(c, text + size, wall) || c != text + size) fail("value", "not a date", "dates look like 2026-11-22", at);
    PyObject* made = PyDate_FromDate(wall.year, wall.month, wall.day);
    if (made == nullptr) wrap("not a date", at);
    return Ref::steal(made);
}

Ref Builder::make_time(const char* text, size_t size, size_t at) {
    moments::fetch();
    std::string trimmed = without_idle_zeros(text, size);
    const char *c = trimmed.data(), *end = c + trimmed.size();
    moments::Wall wall;
    int64_t offset = 0;
    bool sound = moments::read_clock(c, end, wall), has_offset = sound && c < end;
    if (has_offset) sound = moments::read_offset(c, end, offset);
    if (!sound || c != end) fail("value", "not a time of day", "times look like 10:33:00.000005", at);
    Ref zone = has_offset ? moments::zone_of(offset) : Ref::share(Py_None);
    return Ref::check(PyDateTimeAPI->Time_FromTime(
        wall.hour, wall.minute, wall.second, wall.microsecond, zone.get(), PyDateTimeAPI->TimeType));
}

Ref Builder::make_tag(PyObject* number, PyObject* value, size_t at) {
    static const unsigned long long own[] = {0, 1, 2, 3, 4, 28, 29, 30, 37, 39, 121, 122, 123, 258, 259, 268, 273, 283, 1002, 1004,
        43000, 55799};
    if (!PyLong_CheckExact(number)) fail("value", "a tag has a number", "", at);
    unsigned long long n = PyLong_AsUnsignedLongLong(number);
    if (n == (unsigned long long)-1 && PyErr_Occurred()) {
        PyErr_Clear();
        fail("value", "a tag's number is between 0 and 2**64-1", "", at);
    }
    if (!options_.plain && std::find(std::begin(own), std::end(own), n) != std::end(own))
        fail("value", "the tag " + std::to_string(n) + " has a form of its own", "", at);
    Ref tag = Ref::check(new_pair(state.tag_type, number, value));
    return tag;
}

bool Builder::native_text(Frame& frame, Ref& result) {
    if (!frame.use->native || count(frame) != 2 || content(frame)[0] != state.reserved[int(Key::Str)] || !is_text(content(frame)[1])) return false;
    PyObject* name = frame.use->name.get();
    int which = PyUnicode_CompareWithASCIIString(name, "datetime:datetime") == 0 ? 0
                : PyUnicode_CompareWithASCIIString(name, "datetime:time") == 0   ? 1
                                                                                 : 2;
    Ref text = Ref::share(content(frame)[1]);
    if (which == 2) {
        result = make_decimal(text.get(), frame.start);
    } else {
        if (!PyUnicode_IS_ASCII(text.get())) fail("value", "not a date or time", "", frame.start);
        const char* from = static_cast<const char*>(PyUnicode_DATA(text.get()));
        size_t length = size_t(PyUnicode_GET_LENGTH(text.get()));
        result = which == 0 ? make_datetime(from, length, frame.start) : make_time(from, length, frame.start);
    }
    clear_values(frame);
    return true;
}

// ---- the end ----

void Builder::apply(Fix& fix) {
    PyObject* object = shared_[fix.shared].object.get();
    if (object == nullptr) fail("value", "a reference to an id that no object has", "", SIZE_MAX);
    switch (fix.slot) {
        case Slot::ListItem:
            if (fix.index < PyList_GET_SIZE(fix.holder.get())) check(PyList_SetItem(fix.holder.get(), fix.index, Py_NewRef(object)));
            return;
        case Slot::TupleItem: {
            PyObject** item = &reinterpret_cast<PyTupleObject*>(fix.holder.get())->ob_item[fix.index];
            PyObject* old = std::exchange(*item, Py_NewRef(object));
            Py_DECREF(old);
            return;
        }
        case Slot::DictValue: return check(PyDict_SetItem(fix.holder.get(), fix.key.get(), object));
        case Slot::Attribute: return set_attribute(fix.holder.get(), fix.use->the_plan(), fix.key.get(), object, SIZE_MAX);
    }
}

void Builder::fill(Pending& pending) {
    if (pending.use == nullptr) return add_all(pending.container.get(), pending.content.get(), pending.pairs, pending.start);
    check_pairs_content(pending.content.get(), pending.start);
    CallOut running(collector_);
    Plan* plan = pending.use->the_plan();
    Ref done = Ref::steal(PyObject_CallFunctionObjArgs(plan->fill, pending.container.get(), pending.content.get(), nullptr));
    if (!done) wrap(named(plan).c_str(), pending.start);
}

// A tuple or frozenset that contains itself through tuples and frozensets alone has no hash and no end. Only what
// was put right afterwards, or is filled at the end, can be part of such a cycle.
void Builder::refuse_self_hash() {
    std::map<PyObject*, PyObject*> contents;  // frozenset -> the list that it will be filled with
    std::vector<PyObject*> starts;
    for (const Fix& fix : fixes_)
        if (fix.slot == Slot::TupleItem) starts.push_back(fix.holder.get());
    for (const Pending& pending : pending_)
        if (PyFrozenSet_CheckExact(pending.container.get())) {
            contents[pending.container.get()] = pending.content.get();
            starts.push_back(pending.container.get());
        }
    if (starts.empty()) return;
    struct Level {
        PyObject* holder;
        Py_ssize_t place;
    };
    std::map<PyObject*, bool> met;  // true while it is on the line
    std::vector<Level> line;
    auto enter = [&](PyObject* object) {
        if (!PyTuple_Check(object) && !PyFrozenSet_CheckExact(object)) return;
        auto [found, fresh] = met.emplace(object, true);
        if (fresh)
            line.push_back({object, 0});
        else if (found->second)
            fail("value", "a tuple or frozenset contains itself", "", SIZE_MAX);
    };
    for (PyObject* start : starts) {
        if (met.find(start) == met.end()) enter(start);
        while (!line.empty()) {
            Level& level = line.back();
            PyObject* holder = level.holder;
            auto list = contents.find(holder);
            if (list != contents.end()) holder = list->second;
            PyObject* item = nullptr;
            if (PyList_CheckExact(holder))
                item = level.place < PyList_GET_SIZE(holder) ? PyList_GET_ITEM(holder, level.place++) : nullptr;
            else
                item = KeyMeasure::next(holder, level.place);
            if (item == nullptr) {
                met[level.holder] = false;
                line.pop_back();
            } else {
                enter(item);
            }
        }
    }
}

// The order in which keys can be hashed: what a key's hash may look into (tuples, frozensets, the attributes of
// instances) comes before the container of the key. Worked out before any hash runs.
std::vector<size_t> Builder::fill_order() {
    std::vector<size_t> order;
    if (pending_.size() < 2) {
        for (size_t i = 0; i < pending_.size(); ++i) order.push_back(i);
        return order;
    }
    std::map<PyObject*, size_t> places;
    for (size_t i = 0; i < pending_.size(); ++i) places[pending_[i].container.get()] = i;
    std::map<PyTypeObject*, Plan*> classes;
    for (const auto& [name, use] : names_)
        if (use->plan && (use->the_plan()->kind == Kind::Fields || use->the_plan()->kind == Kind::NamedTuple)) classes[use->the_plan()->cls] = use->the_plan();
    auto hashed = [&](PyObject* object) {
        return PyTuple_Check(object) || PyFrozenSet_CheckExact(object) || places.count(object) || classes.count(Py_TYPE(object));
    };
    struct Level {
        PyObject* object;
        std::vector<PyObject*> inside;  // borrowed: nothing runs meanwhile
    };
    auto inside = [&](PyObject* object) {
        std::vector<PyObject*> found;
        auto add = [&](PyObject* item) {
            if (item != nullptr && hashed(item)) found.push_back(item);
        };
        auto pending = places.find(object);
        if (pending != places.end()) {
            const Pending& held = pending_[pending->second];
            std::vector<PyObject*> lists;
            if (held.use == nullptr) {
                lists.push_back(held.content.get());
            } else {
                for (Key slot : {Key::Map, Key::Set, Key::Frozenset})
                    if (PyObject* list = PyDict_GetItemWithError(held.content.get(), state.reserved[int(slot)])) lists.push_back(list);
            }
            for (PyObject* list : lists) {
                if (!PyList_CheckExact(list)) continue;
                Py_ssize_t step = held.use == nullptr && held.pairs ? 2 : 1;
                for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i += step) {
                    PyObject* key = PyList_GET_ITEM(list, i);
                    if (held.use && PyList_CheckExact(key) && PyList_GET_SIZE(key) == 2) key = PyList_GET_ITEM(key, 0);
                    add(key);
                }
            }
        }
        if (PyTuple_Check(object) || PyFrozenSet_CheckExact(object)) {
            Py_ssize_t place = 0;
            while (PyObject* item = KeyMeasure::next(object, place)) add(item);
        }
        auto cls = classes.find(Py_TYPE(object));
        if (cls != classes.end() && cls->second->kind == Kind::Fields) {
            std::vector<PyObject*> held;
            KeyMeasure::attributes(object, cls->second, held);
            for (PyObject* item : held) add(item);
        }
        return found;
    };
    std::map<PyObject*, bool> met;
    std::vector<Level> line;
    for (const Pending& start : pending_) {
        if (!met.emplace(start.container.get(), true).second) continue;
        line.push_back({start.container.get(), inside(start.container.get())});
        while (!line.empty()) {
            Level& level = line.back();
            if (level.inside.empty()) {
                auto place = places.find(level.object);
                if (place != places.end()) order.push_back(place->second);
                line.pop_back();
                continue;
            }
            PyObject* next = level.inside.back();
            level.inside.pop_back();
            if (met.emplace(next, true).second) line.push_back({next, inside(next)});
        }
    }
    return order;
}

void Builder::finish() {
    if (options_.limits.nodes >= 0 && Py_ssize_t(closed_ + 1) > options_.limits.nodes) over_limit("Limits.nodes", SIZE_MAX);
    for (const Shared& shared : shared_)
        if (!shared.opened) fail("value", "a reference to an id that no object has", "", SIZE_MAX);
    for (Fix& fix : fixes_) apply(fix);
    refuse_self_hash();
    collector_.resume();  // from here on Python code of trusted classes may run
    for (Missing& missing : missing_) {
        Ref value = Ref::steal(missing.takes_self ? PyObject_CallOneArg(missing.factory.get(), missing.object.get())
                                                  : PyObject_CallNoArgs(missing.factory.get()));
        if (!value) wrap("a default factory failed", SIZE_MAX);
        set_attribute(missing.object.get(), missing.use->the_plan(), missing.name.get(), value.get(), SIZE_MAX);
    }
    for (size_t place : fill_order()) fill(pending_[place]);
    refuse_nests();
    done_ = true;
}

}  // namespace mason
