// Strategy: see build.hpp. This file has what happens once per container or once per document; the readers have
// what happens once per value.
#include "build.hpp"

#include "order.hpp"
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
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_MemoryError)) throw PythonError{};  // the document may be fine
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
        Ref reason = attribute(error.get(), "reason");
        Ref hint = attribute(error.get(), "hint");
        fail("value", std::string(what) + " " + utf8(reason.get()), utf8(hint.get()).c_str(), at);
    }
    if (error && PyErr_GivenExceptionMatches(error.get(), state.mason_error)) {  // it only learns its place
        Ref known = attribute(error.get(), "path");
        std::string where = path();
        Ref place = Ref::check(PyUnicode_DecodeUTF8(where.data(), Py_ssize_t(where.size()), "replace"));
        Ref name = Ref::check(PyUnicode_InternFromString("path"));
        if (known.get() == Py_None) check(PyObject_SetAttr(error.get(), name.get(), place.get()));
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
    if (task_path_ != nullptr) return *task_path_;
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
                break;
            case Role::Tag:
            case Role::Shared: break;
        }
    }
    return text;
}

// ---- names ----

NameUse* Builder::name_use(std::string_view name) {
    if (last_name_ != nullptr && last_name_->text == name) return last_name_;
    if (NameUse* use = near_name(name)) return last_name_ = use;
    auto found = names_.find(name);
    if (found == names_.end()) {
        auto use = std::make_unique<NameUse>();
        use->name = Ref::check(PyUnicode_DecodeUTF8(name.data(), Py_ssize_t(name.size()), "surrogatepass"));
        use->native = name == "datetime:datetime" || name == "datetime:time" || name == "decimal:Decimal";
        found = names_.emplace(std::string(name), std::move(use)).first;
        found->second->text = found->first;
    }
    last_name_ = found->second.get();
    keep_near(last_name_);
    return last_name_;
}

void refused_name(PyObject* exception, PyObject* name) {
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
    if (plan->kind == Kind::Refused && !options_.judged) refused_name(state.needs_judging, use->name.get());
    if (plan->kind == Kind::Refused) fail("value", named(plan) + " " + utf8(plan->reason), utf8(plan->hint).c_str(), at);
    if (plan->hooked && !options_.judged) refused_name(state.needs_judging, use->name.get());
    use->plan = owned;
    ++resolved_;
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

Ref Builder::refer(int64_t id) {
    int32_t place = shared_slot(id);
    const Shared& shared = shared_[size_t(place)];
    return shared.object ? shared.object : placeholder(place);
}

Ref Builder::placeholder(int32_t place) {
    forwards_ = true;
    Ref number = Ref::check(PyLong_FromLong(place));
    return Ref::check(new_pair(state.forward_type, number.get(), Py_None));
}

Ref Builder::result() {
    Ref root = pop();
    return forward(root.get()) ? shared_[target(root.get())].object : root;
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
        if (forwards_)
            for (Py_ssize_t i = 0; i < n; ++i)
                if (forward(items[i])) fix(list.get(), nullptr, i, items[i], Slot::ListItem);
        clear_values(frame);
        return list;
    }
    list = Ref::check(PyList_New(n));
    if (forwards_)
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
    if (forwards_)
        for (Py_ssize_t i = 0; i < n; ++i)
            if (forward(items[i])) fix(tuple.get(), nullptr, i, items[i], Slot::TupleItem);
    if (n) std::memcpy(reinterpret_cast<PyTupleObject*>(tuple.get())->ob_item, items, size_t(n) * sizeof(PyObject*));
    values_.resize(frame.base);
    return tuple;
}

// Records are dictionaries of the same keys over and over: copying a table is cheaper than filling one.
Ref Builder::dict_of_pattern(PyObject** items, size_t count, Pattern*& fresh) {
    uint64_t mix = count;
    for (size_t i = 0; i < count; ++i) mix = (mix ^ reinterpret_cast<uintptr_t>(items[2 * i])) * 0x9E3779B97F4A7C15ull;
    if (patterns_.empty()) patterns_.resize(128);
    Pattern& pattern = patterns_[mix >> 57];
    if (pattern.mix != mix) {
        pattern.mix = mix;
        pattern.dict = Ref();
    } else if (!pattern.dict) {
        fresh = &pattern;
    } else if (layout::has_keys(pattern.dict.get(), items, Py_ssize_t(count), 2)) {
        Ref made = Ref::steal(layout::copy_with(pattern.dict.get(), items + 1, Py_ssize_t(count), 2));
        if (!made && PyErr_Occurred()) throw PythonError{};
        return made;
    }
    return {};
}

Ref Builder::close_dict(Frame& frame) {
    size_t n = count(frame) / 2;
    closed_ += n;
    PyObject** items = content(frame);
    Pattern* fresh = nullptr;
    if (layout::fast && n > 1 && n <= 64 && !frame.eager && !forwards_)
        if (Ref made = dict_of_pattern(items, n, fresh)) {
            clear_values(frame);
            return made;
        }
    Ref dict = frame.eager ? Ref::share(frame.eager) : Ref::check(layout::new_dict(Py_ssize_t(n)));
    for (size_t i = 0; i < n; ++i) {
        PyObject *key = items[2 * i], *value = items[2 * i + 1];
        check(PyDict_SetItem(dict.get(), key, value));
        if (forwards_ && forward(value)) fix(dict.get(), key, 0, value, Slot::DictValue);
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
                    json ? "mason.json.loads keeps the last one, as the standard library does" : "", frame.start);
            }
            check(PySet_Add(seen.get(), items[2 * i]));
        }
    }
    if (fresh != nullptr && size_t(PyDict_GET_SIZE(dict.get())) == n) {
        fresh->dict = Ref::check(layout::new_dict(Py_ssize_t(n)));
        for (size_t i = 0; i < n; ++i) check(PyDict_SetItem(fresh->dict.get(), items[2 * i], Py_None));
    }
    clear_values(frame);
    return dict;
}

// Whether hashing the key and comparing it runs no Python code, and looks into nothing that may change.
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
    if (type == &PyTuple_Type) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); ++i) {  // one level: what is deeper waits for the end
            PyObject* item = PyTuple_GET_ITEM(key, i);
            if (PyTuple_CheckExact(item) || !safe_key(item)) return false;
        }
        return true;
    }
    return type->tp_hash == PyBaseObject_Type.tp_hash && type->tp_richcompare == PyBaseObject_Type.tp_richcompare && !forward(key);
}

bool Builder::safe_keys(PyObject* const* keys, size_t n, size_t step) const {
    for (size_t i = 0; i < n; ++i)
        if (!safe_key(keys[i * step])) return false;
    return true;
}

void Builder::judge_key(PyObject* key, size_t at) {
    if (const char* why = keys_.refuse(key)) fail("limit", why, "raise Limits(key_nodes=..., key_depth=...)", at);
    if (keys_.too_much(size)) fail("limit", "the keys of the document take too long to hash", "raise Limits(key_nodes=...)", at);
}

// Judges every `step`-th item of a list, or the first of each pair that it lists, before they go into one set or
// dictionary.
void Builder::judge_keys(PyObject* list, Py_ssize_t step, bool pairs, bool set, size_t at) {
    std::vector<KeyMeasure::Hashed> hashes;
    keys_.begin();
    bool many = PyList_GET_SIZE(list) / step > options_.limits.collisions;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i += step) {
        PyObject* item = PyList_GET_ITEM(list, i);
        if (pairs && (!PyList_CheckExact(item) || PyList_GET_SIZE(item) != 2)) fail("value", "$map lists pairs", "", at);
        Ref key = Ref::share(pairs ? PyList_GET_ITEM(item, 0) : item);
        judge_key(key.get(), at);
        if (!keys_.counts(many)) continue;
        Py_hash_t hash = PyObject_Hash(key.get());
        if (hash == -1) wrap("a key cannot be hashed", at);
        hashes.push_back(keys_.hashed(hash, key.get()));
    }
    if (const char* why = keys_.mixed()) fail("limit", why, "", at);
    if (const char* why = keys_.collide(hashes, set))
        fail("limit", std::string("a set or dict ") + why, "if you know the file, lift Limits(collisions=None, key_nodes=None)", at);
    if (keys_.too_much(size)) fail("limit", "the keys of the document take too long to hash", "raise Limits(key_nodes=...)", at);
}

// Adds what `content` lists to a set or dictionary; keys that became equal, or that cannot be hashed, are errors.
void Builder::add_all(PyObject* container, PyObject* content, bool pairs, size_t at) {
    Py_ssize_t step = pairs ? 2 : 1, n = PyList_GET_SIZE(content) / step;
    judge_keys(content, step, false, !pairs, at);
    Py_ssize_t before = pairs ? PyDict_GET_SIZE(container) : PySet_GET_SIZE(container);
    if (PyFrozenSet_CheckExact(container)) {
        if (layout::fill_frozenset(container, content) < 0) wrap("a key cannot be used", at);
        n = PyList_GET_SIZE(content);
    } else {
        for (Py_ssize_t i = 0; i < n; ++i) {
            if (PyList_GET_SIZE(content) != n * step) fail("value", "the code of a trusted class changed the document", "", at);
            Ref key = Ref::share(PyList_GET_ITEM(content, i * step));
            int status = pairs ? PyDict_SetItem(container, key.get(), Ref::share(PyList_GET_ITEM(content, i * step + 1)).get())
                               : PySet_Add(container, key.get());
            if (status < 0) wrap("a key cannot be used", at);
        }
    }
    Py_ssize_t after = pairs ? PyDict_GET_SIZE(container) : PySet_GET_SIZE(container);
    if (after - before != n && !(pairs && options_.last_wins))
        fail("value", pairs ? "two keys of a dict are equal" : "two elements of a set are equal", "", at);
    if (!pairs && options_.ordered) tie_order(container, content);
}

Ref Builder::make_set(PyObject* list, bool frozen, PyObject* eager, size_t start) {
    Py_ssize_t n = PyList_GET_SIZE(list);
    Ref set = eager ? Ref::share(eager) : Ref::check(frozen ? PyFrozenSet_New(nullptr) : PySet_New(nullptr));
    if (n == 0) return set;
    if (!safe_keys(reinterpret_cast<PyListObject*>(list)->ob_item, size_t(n), 1))
        tasks_.push_back({Task::Set, set, Ref::share(list), nullptr, start});
    else
        add_all(set.get(), list, false, start);
    return set;
}

Ref Builder::make_map(PyObject* flat, PyObject* eager, size_t start) {
    Py_ssize_t n = PyList_GET_SIZE(flat) / 2;
    Ref dict = eager ? Ref::share(eager) : Ref::check(layout::new_dict(n));
    if (n == 0) return dict;
    PyObject** items = reinterpret_cast<PyListObject*>(flat)->ob_item;
    bool held = !safe_keys(items, size_t(n), 2);
    for (Py_ssize_t i = 0; forwards_ && !held && i < n; ++i) held = forward(items[2 * i + 1]);
    if (held)
        tasks_.push_back({Task::Map, dict, Ref::share(flat), nullptr, start});
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
            if (forwards_ && forward(item)) fix(pair.get(), nullptr, k, item, Slot::ListItem);
            PyList_SET_ITEM(pair.get(), k, Py_NewRef(item));
        }
        PyList_SET_ITEM(list.get(), Py_ssize_t(i), pair.release());
    }
    clear_values(frame);
    return list;
}

}  // namespace mason
