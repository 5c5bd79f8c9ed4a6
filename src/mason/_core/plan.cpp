// Strategy: the Python faces of Plan and Plans, and the once-per-class work behind the hot loops.
#include "plan.hpp"

#include "cbor_text.hpp"
#include "text.hpp"

#include <structmember.h>

#include <algorithm>
#include <array>
#include <new>

namespace mason {

const char* const reserved_texts[reserved_count] = {
    "$mason", "$type", "$id", "$ref", "$value", "$tuple", "$set", "$frozenset", "$map", "$list", "$dict", "$bytes",
    "$bytearray", "$complex", "$float", "$int", "$decimal", "$fraction", "$datetime", "$date", "$time", "$timedelta",
    "$uuid", "$global", "$tag", "$simple", "$str", "$enum", "$new", "$newkw", "$call", "$state", "$extra", "$unset",
    "$fold", "$tz",
};

State state;

Key reserved_code(PyObject* key) {
    if (!PyUnicode_IS_ASCII(key)) return Key::None;
    const char* text = static_cast<const char*>(PyUnicode_DATA(key));
    size_t size = size_t(PyUnicode_GET_LENGTH(key));
    static const auto lengths = [] {
        std::array<uint8_t, reserved_count> found;
        for (int i = 0; i < reserved_count; ++i) found[size_t(i)] = uint8_t(std::strlen(reserved_texts[i]));
        return found;
    }();
    for (int i = 0; i < reserved_count; ++i)
        if (lengths[size_t(i)] == size && reserved_texts[i][1] == text[1] && std::memcmp(reserved_texts[i], text, size) == 0) return Key(i);
    return Key::None;
}

bool own_tag(uint64_t number) {
    static const uint64_t tags[] = {0, 1, 2, 3, 4, 28, 29, 30, 37, 39, 121, 122, 123, 258, 259, 268, 273, 283, 1002, 1004, 43000,
        55799};
    return std::binary_search(std::begin(tags), std::end(tags), number);
}

SlotShape slot_shape_of(Key key) {
    switch (key) {
        case Key::New:
        case Key::Call:
        case Key::List:
        case Key::Tuple:
        case Key::Set:
        case Key::Frozenset:
        case Key::Map:
        case Key::Unset: return SlotShape::Array;
        case Key::Dict:
        case Key::Newkw:
        case Key::Extra: return SlotShape::Object;
        case Key::Str:
        case Key::Int:
        case Key::Float:
        case Key::Bytes:
        case Key::Enum:
        case Key::Tz:
        case Key::Fold:
        case Key::State: return SlotShape::Any;
        default: return SlotShape::None;
    }
}

// Once every field has a place among the shared keys of the class, which keep their places for good.
bool Shape::settle(PyTypeObject* cls) const {
    if (fields.size() > sizeof stores) return false;
    for (size_t i = 0; i < fields.size(); ++i) {
        int place = fields[i].offset >= 0 || !fields[i].plain ? -1 : layout::place_of(cls, fields[i].name.get());
        if (place < 0) return false;
        stores[i] = uint8_t(place);
    }
    return storable = true;
}

static Ref escaped(PyObject* string, bool escape_dollar) {
    if (!escape_dollar || !starts_with_dollar(string)) return Ref::share(string);
    Ref dollar = Ref::check(PyUnicode_FromString("$"));
    return Ref::check(PyUnicode_Concat(dollar.get(), string));
}

std::string json_spelling(PyObject* string, bool escape_dollar) {
    Buffer out;
    text::json_string(out, escaped(string, escape_dollar).get());
    return std::string(out.data(), out.size());
}

std::string cbor_spelling(PyObject* string, bool escape_dollar) {
    Buffer out;
    cbor_text(out, escaped(string, escape_dollar).get());
    return std::string(out.data(), out.size());
}

static size_t bit_length(PyObject* number) {
    Ref bits = call_method(number, "bit_length");
    size_t count = PyLong_AsSize_t(bits.get());
    if (count == size_t(-1) && PyErr_Occurred()) throw PythonError{};
    return count;
}

static Ref power_of_ten(long exponent) {
    Ref ten = Ref::check(PyLong_FromLong(10)), power = Ref::check(PyLong_FromLong(exponent));
    return Ref::check(PyNumber_Power(ten.get(), power.get(), Py_None));
}

bool beyond_digits(PyObject* number) {
    size_t bits = bit_length(number);  // 10**4300 has 14285
    if (bits != 14285) return bits > 14285;
    Ref size = Ref::check(PyNumber_Absolute(number));
    int beyond = PyObject_RichCompareBool(size.get(), power_of_ten(4300).get(), Py_GE);
    check(beyond);
    return beyond == 1;
}

constexpr long piece_digits = 600;  // below any limit that the interpreter can be given

std::string decimal_digits(PyObject* number) {
    Ref text = Ref::steal(PyObject_Str(number));
    if (text) return std::string(static_cast<const char*>(PyUnicode_DATA(text.get())), size_t(PyUnicode_GET_LENGTH(text.get())));
    if (!PyErr_ExceptionMatches(PyExc_ValueError)) throw PythonError{};
    PyErr_Clear();
    Ref zero = Ref::check(PyLong_FromLong(0)), unit = power_of_ten(piece_digits), rest = Ref::check(PyNumber_Absolute(number));
    std::string digits;
    for (;;) {
        Ref both = Ref::check(PyNumber_Divmod(rest.get(), unit.get()));
        rest = Ref::share(PyTuple_GET_ITEM(both.get(), 0));
        Ref piece = Ref::check(PyObject_Str(PyTuple_GET_ITEM(both.get(), 1)));
        std::string part(static_cast<const char*>(PyUnicode_DATA(piece.get())), size_t(PyUnicode_GET_LENGTH(piece.get())));
        int more = PyObject_IsTrue(rest.get());
        check(more);
        if (more) part.insert(0, size_t(piece_digits) - part.size(), '0');
        digits.insert(0, part);
        if (!more) break;
    }
    int negative = PyObject_RichCompareBool(number, zero.get(), Py_LT);
    check(negative);
    return negative ? "-" + digits : digits;
}

Ref integer_of_digits(const char* digits, size_t count) {
    bool negative = count > 0 && *digits == '-';
    digits += negative;
    count -= negative;
    Ref total;
    while (count > 0) {
        size_t first = count % size_t(piece_digits) ? count % size_t(piece_digits) : size_t(piece_digits);
        std::string part(digits, first);
        Ref piece = Ref::check(PyLong_FromString(part.c_str(), nullptr, 10));
        if (total)
            total = Ref::check(PyNumber_Add(Ref::check(PyNumber_Multiply(total.get(), power_of_ten(piece_digits).get())).get(), piece.get()));
        else
            total = piece;
        digits += first;
        count -= first;
    }
    return negative ? Ref::check(PyNumber_Negative(total.get())) : total;
}

// ---- Plan ----

// What the name leads to: a module that is imported, then names in its dictionary and in those of classes.
static Ref follow(const std::vector<Ref>& home) {
    if (home.size() < 2) return Ref();
    Ref found = Ref::share(PyDict_GetItemWithError(PyImport_GetModuleDict(), home[0].get()));
    for (size_t i = 1; found && i < home.size(); ++i) {
        Ref dict;  // owned: a key in it that is no str may run code, which drops the module
        if (i == 1 && PyModule_Check(found.get())) {
            dict = Ref::share(PyModule_GetDict(found.get()));
        } else if (i > 1 && PyType_Check(found.get())) {
#if PY_VERSION_HEX >= 0x030C0000
            dict = Ref::check(PyType_GetDict(reinterpret_cast<PyTypeObject*>(found.get())));
#else
            dict = Ref::share(reinterpret_cast<PyTypeObject*>(found.get())->tp_dict);
#endif
        }
        found = dict ? Ref::share(PyDict_GetItemWithError(dict.get(), home[i].get())) : Ref();
    }
    if (PyErr_Occurred()) throw PythonError{};
    return found;
}

bool Plan::at_home() const { return body->home.empty() || follow(body->home).get() == reinterpret_cast<PyObject*>(cls); }

// Notes where the class lives, when its name is that of the place.
static void find_home(Plan* plan) {
    if (!PyType_Check(plan->cls)) return;
    std::vector<Ref> home;
    Ref colon = Ref::check(PyUnicode_FromString(":")), dot = Ref::check(PyUnicode_FromString("."));
    Ref parts = Ref::check(PyUnicode_Split(plan->name, colon.get(), -1));
    if (PyList_GET_SIZE(parts.get()) != 2) return;
    home.push_back(Ref::share(PyList_GET_ITEM(parts.get(), 0)));
    Ref steps = Ref::check(PyUnicode_Split(PyList_GET_ITEM(parts.get(), 1), dot.get(), -1));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(steps.get()); ++i) home.push_back(Ref::share(PyList_GET_ITEM(steps.get(), i)));
    if (follow(home).get() == reinterpret_cast<PyObject*>(plan->cls)) plan->body->home = std::move(home);
}

bool Plan::declares(PyObject* attribute) const {
    if (!declared) return true;
    int found = PySequence_Contains(fields, attribute);
    check(found);
    return found == 1;
}

const Field* Plan::slot_named(PyObject* attribute) const {
    for (const Field& slot : body->slots)
        if (slot.name.get() == attribute || PyUnicode_Compare(slot.name.get(), attribute) == 0) return &slot;
    return nullptr;
}

// Whether object.__setattr__ would store the name without asking a descriptor of the class.
static bool stored_plainly(PyTypeObject* cls, PyObject* name) {
    PyObject* mro = cls->tp_mro;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); ++i) {
        PyTypeObject* owner = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i));
#if PY_VERSION_HEX >= 0x030C0000
        Ref dict = Ref::check(PyType_GetDict(owner));
#else
        Ref dict = Ref::share(owner->tp_dict);
#endif
        PyObject* found = PyDict_GetItemWithError(dict.get(), name);
        if (found != nullptr) return Py_TYPE(found)->tp_descr_set == nullptr;
        if (PyErr_Occurred()) throw PythonError{};
    }
    return true;
}

static Field make_field(Plan* plan, PyObject* name) {
    Field field;
    field.name = Ref::share(name);
    if (plan->kind == Kind::Fields) {
        if (const Field* slot = plan->slot_named(name))
            field.offset = slot->offset;
        else
            field.plain = stored_plainly(plan->cls, name);
    }
    field.json = Spelled("," + json_spelling(name, true) + ":");
    field.cbor = Spelled(cbor_spelling(name, true));
    return field;
}

static const Shape* add_shape(Plan* plan, const std::vector<Ref>& names) {
    auto shape = std::make_unique<Shape>();
    for (const Ref& name : names) {
        PyObject* interned = Py_NewRef(name.get());
        PyUnicode_InternInPlace(&interned);
        Ref owned = Ref::steal(interned);
        shape->fields.push_back(make_field(plan, interned));
        shape->stored += shape->fields.back().offset < 0;
    }
    plan->body->shapes.push_back(std::move(shape));
    return plan->body->shapes.back().get();
}

const Shape* Plan::shape_for(const std::vector<Ref>& names) {
    for (const auto& shape : body->shapes) {
        if (shape->fields.size() != names.size()) continue;
        bool same = true;
        for (size_t i = 0; same && i < names.size(); ++i) same = shape->fields[i].name.get() == names[i].get();
        if (same) return shape.get();
    }
    if (body->learned >= 8) return nullptr;
    ++body->learned;
    return add_shape(this, names);
}

static bool parse_kind(const char* text, Kind& kind) {
    static const std::pair<const char*, Kind> names[] = {
        {"fields", Kind::Fields}, {"namedtuple", Kind::NamedTuple}, {"enum", Kind::Enum},
        {"parts", Kind::Parts},   {"name", Kind::Name},             {"decimal", Kind::Decimal},
        {"uuid", Kind::Uuid},     {"fraction", Kind::Fraction},     {"refused", Kind::Refused},
    };
    for (const auto& [name, value] : names)
        if (std::strcmp(name, text) == 0) {
            kind = value;
            return true;
        }
    return false;
}

static void read_slots(Plan* plan) {
    if (plan->slots == Py_None) return;
    PyObject *name, *descriptor;
    Py_ssize_t position = 0;
    while (PyDict_Next(plan->slots, &position, &name, &descriptor)) {
        if (!is_text(name) || !Py_IS_TYPE(descriptor, &PyMemberDescr_Type))
            raise(PyExc_TypeError, "slots must map names to member descriptors");
        PyMemberDef* member = reinterpret_cast<PyMemberDescrObject*>(descriptor)->d_member;
        if (member->type != T_OBJECT_EX || !PyType_IsSubtype(plan->cls, PyDescr_TYPE(descriptor)))
            raise(PyExc_TypeError, "not an object slot of the class");
        Field slot;
        PyObject* interned = Py_NewRef(name);
        PyUnicode_InternInPlace(&interned);
        slot.name = Ref::steal(interned);
        slot.offset = member->offset;
        plan->body->slots.push_back(std::move(slot));
    }
}

static void seed_shape(Plan* plan) {
    if (plan->fields == Py_None || (plan->kind != Kind::Fields && plan->kind != Kind::NamedTuple)) return;
    std::vector<Ref> names;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(plan->fields); ++i) {
        PyObject* name = PyTuple_GET_ITEM(plan->fields, i);
        if (!is_text(name)) raise(PyExc_TypeError, "field names must be str");
        names.push_back(Ref::share(name));
    }
    add_shape(plan, names);
}

static PyObject* plan_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    static const char* keywords[] = {"kind", "cls", "name", "fields", "slots", "defaults", "factories", "dropped", "hashed", "take",
        "make", "shell", "fill", "members", "atom", "hooked", "upgrade", "reason", "hint", nullptr};
    PyObject *kind_name, *cls = Py_None, *name = nullptr, *fields = Py_None, *slots = Py_None, *defaults = Py_None,
             *factories = Py_None, *dropped = Py_None, *hashed = Py_None, *take = Py_None, *make = Py_None, *shell = Py_None, *fill = Py_None,
             *members = Py_None, *upgrade = Py_None, *reason = nullptr, *hint = nullptr;
    int atom = 0, hooked = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|$OUOOOOOOOOOOOppOUU:Plan", const_cast<char**>(keywords), &kind_name, &cls,
            &name, &fields, &slots, &defaults, &factories, &dropped, &hashed, &take, &make, &shell, &fill, &members, &atom, &hooked,
            &upgrade, &reason, &hint))
        return nullptr;
    Kind kind;
    const char* kind_text = PyUnicode_AsUTF8(kind_name);
    if (kind_text == nullptr) return nullptr;
    if (!parse_kind(kind_text, kind)) return PyErr_Format(PyExc_ValueError, "unknown kind of plan: %s", kind_text);
    bool needs_class = kind == Kind::Fields || kind == Kind::NamedTuple;
    if (needs_class && !PyType_Check(cls)) return PyErr_Format(PyExc_TypeError, "this kind of plan needs cls=");
    if (fields != Py_None && !PyTuple_CheckExact(fields)) return PyErr_Format(PyExc_TypeError, "fields must be a tuple");
    if (hashed != Py_None && !PyTuple_CheckExact(hashed)) return PyErr_Format(PyExc_TypeError, "hashed must be a tuple");
    for (PyObject* mapping : {slots, defaults, factories, dropped, members})
        if (mapping != Py_None && !PyDict_CheckExact(mapping)) return PyErr_Format(PyExc_TypeError, "a dict was expected");
    if (kind == Kind::NamedTuple && (fields == Py_None || !PyType_IsSubtype((PyTypeObject*)cls, &PyTuple_Type)))
        return PyErr_Format(PyExc_TypeError, "a named tuple has fields");
    for (PyObject** mapping : {&slots, &defaults, &factories, &dropped, &members})  // an empty one says as much as none
        if (*mapping != Py_None && PyDict_GET_SIZE(*mapping) == 0) *mapping = Py_None;
    Ref empty = Ref::steal(PyUnicode_FromString(""));
    if (!empty) return nullptr;
    Plan* plan = reinterpret_cast<Plan*>(type->tp_alloc(type, 0));
    if (plan == nullptr) return nullptr;
    plan->kind = kind;
    plan->atom = atom != 0;
    plan->hooked = hooked != 0;
    plan->declared = fields != Py_None;
    plan->cls = reinterpret_cast<PyTypeObject*>(Py_NewRef(cls));
    plan->kind_name = Py_NewRef(kind_name);
    plan->name = Py_NewRef(name ? name : empty.get());
    plan->fields = Py_NewRef(fields);
    plan->slots = Py_NewRef(slots);
    plan->defaults = Py_NewRef(defaults);
    plan->factories = Py_NewRef(factories);
    plan->dropped = Py_NewRef(dropped);
    plan->hashed = Py_NewRef(hashed);
    plan->take = Py_NewRef(take);
    plan->make = Py_NewRef(make);
    plan->shell = Py_NewRef(shell);
    plan->fill = Py_NewRef(fill);
    plan->members = Py_NewRef(members);
    plan->upgrade = Py_NewRef(upgrade);
    plan->reason = Py_NewRef(reason ? reason : empty.get());
    plan->hint = Py_NewRef(hint ? hint : empty.get());
    Ref owner = Ref::steal(reinterpret_cast<PyObject*>(plan));
    try {
        plan->body = new PlanBody;
        plan->body->json_head = Spelled("{\"$type\":" + json_spelling(plan->name, false));
        plan->body->cbor_head = Spelled(std::string("\xd9\x01\x1b\x82", 4) + cbor_spelling(plan->name, false));
        plan->body->has_dict = PyType_Check(cls) && plan->cls->tp_dictoffset != 0;
        plan->body->managed_dict = plan->body->has_dict && layout::has_managed_dict(plan->cls);
        read_slots(plan);
        seed_shape(plan);
        find_home(plan);
    } catch (PythonError&) {
        return nullptr;
    } catch (std::bad_alloc&) {
        return PyErr_NoMemory();
    }
    return owner.release();
}

static PyObject** const* plan_members(Plan* plan) {
    static thread_local PyObject** list[17];
    PyObject** all[] = {&plan->kind_name, &plan->name, &plan->fields, &plan->slots, &plan->defaults, &plan->factories,
        &plan->dropped, &plan->hashed, &plan->take, &plan->make, &plan->shell, &plan->fill, &plan->members, &plan->upgrade, &plan->reason,
        &plan->hint};
    std::copy(std::begin(all), std::end(all), list);
    list[16] = nullptr;
    return list;
}

static int plan_traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Plan* plan = reinterpret_cast<Plan*>(self);
    Py_VISIT(plan->cls);
    for (PyObject** const* member = plan_members(plan); *member; ++member) Py_VISIT(**member);
    return 0;
}

static int plan_clear(PyObject* self) {
    // The members stay: running plans rely on them; the type reference is what closes cycles.
    Plan* plan = reinterpret_cast<Plan*>(self);
    Py_CLEAR(plan->cls);
    return 0;
}

static void plan_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Plan* plan = reinterpret_cast<Plan*>(self);
    Py_CLEAR(plan->cls);
    for (PyObject** const* member = plan_members(plan); *member; ++member) Py_CLEAR(**member);
    delete plan->body;
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject* plan_repr(PyObject* self) {
    Plan* plan = reinterpret_cast<Plan*>(self);
    return PyUnicode_FromFormat("<Plan %U %R>", plan->kind_name, plan->name);
}

static PyObject* plan_get(PyObject* self, void* offset) {
    PyObject* value = *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(self) + reinterpret_cast<intptr_t>(offset));
    return Py_NewRef(value ? value : Py_None);
}

static PyObject* plan_get_flag(PyObject* self, void* offset) {
    return PyBool_FromLong(*reinterpret_cast<bool*>(reinterpret_cast<char*>(self) + reinterpret_cast<intptr_t>(offset)));
}

#define MASON_GETTER(label, member, function) \
    {label, function, nullptr, nullptr, reinterpret_cast<void*>(offsetof(Plan, member))}
static PyGetSetDef plan_getters[] = {
    MASON_GETTER("kind", kind_name, plan_get), MASON_GETTER("cls", cls, plan_get), MASON_GETTER("name", name, plan_get),
    MASON_GETTER("fields", fields, plan_get), MASON_GETTER("slots", slots, plan_get),
    MASON_GETTER("defaults", defaults, plan_get), MASON_GETTER("factories", factories, plan_get),
    MASON_GETTER("dropped", dropped, plan_get), MASON_GETTER("hashed", hashed, plan_get), MASON_GETTER("take", take, plan_get), MASON_GETTER("make", make, plan_get),
    MASON_GETTER("shell", shell, plan_get), MASON_GETTER("fill", fill, plan_get),
    MASON_GETTER("members", members, plan_get), MASON_GETTER("upgrade", upgrade, plan_get),
    MASON_GETTER("reason", reason, plan_get), MASON_GETTER("hint", hint, plan_get),
    MASON_GETTER("atom", atom, plan_get_flag), MASON_GETTER("hooked", hooked, plan_get_flag),
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
#undef MASON_GETTER

static PyType_Slot plan_slots[] = {{Py_tp_new, (void*)plan_new}, {Py_tp_dealloc, (void*)plan_dealloc},
    {Py_tp_traverse, (void*)plan_traverse}, {Py_tp_clear, (void*)plan_clear}, {Py_tp_repr, (void*)plan_repr},
    {Py_tp_getset, plan_getters}, {Py_tp_doc, (void*)"Say how the objects of one class are taken apart and put together."},
    {0, nullptr}};
static PyType_Spec plan_spec = {"mason._core.Plan", sizeof(Plan), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, plan_slots};

// ---- Plans ----

Plan* Plans::find(PyTypeObject* type) {
    auto found = table->find(type);
    if (found != table->end()) {
        if (found->second->stamp == layout::version_tag(type)) return found->second;
        Plan* old = found->second;  // the class was changed since
        table->erase(found);
        Py_DECREF(old);
        Py_DECREF(type);
    }
    Ref made = Ref::check(PyObject_CallOneArg(make, reinterpret_cast<PyObject*>(type)));
    if (!Py_IS_TYPE(made.get(), state.plan_type)) raise(PyExc_TypeError, "make must return a Plan");
    layout::give_version_tag(type, state.reserved[0]);
    Plan* plan = reinterpret_cast<Plan*>(made.get());
    plan->stamp = layout::version_tag(type);
    auto [place, fresh] = table->emplace(type, plan);
    if (fresh) {
        Py_INCREF(type);
        made.release();
    }
    return place->second;
}

static PyObject* plans_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    static const char* keywords[] = {"make", nullptr};
    PyObject* make;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Plans", const_cast<char**>(keywords), &make)) return nullptr;
    Plans* plans = reinterpret_cast<Plans*>(type->tp_alloc(type, 0));
    if (plans == nullptr) return nullptr;
    Ref owner = Ref::steal(reinterpret_cast<PyObject*>(plans));
    plans->make = Py_NewRef(make);
    plans->table = new (std::nothrow) std::unordered_map<PyTypeObject*, Plan*>;
    return plans->table ? owner.release() : PyErr_NoMemory();
}

static int plans_traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Plans* plans = reinterpret_cast<Plans*>(self);
    Py_VISIT(plans->make);
    if (plans->table == nullptr) return 0;
    for (auto& [type, plan] : *plans->table) {
        Py_VISIT(type);
        Py_VISIT(plan);
    }
    return 0;
}

static int plans_clear(PyObject* self) {
    Plans* plans = reinterpret_cast<Plans*>(self);
    std::unordered_map<PyTypeObject*, Plan*> table;
    if (plans->table != nullptr) table.swap(*plans->table);
    for (auto& [type, plan] : table) {
        Py_DECREF(type);
        Py_DECREF(plan);
    }
    Py_CLEAR(plans->make);
    return 0;
}

static void plans_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    plans_clear(self);
    delete reinterpret_cast<Plans*>(self)->table;
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject* plans_plan(PyObject* self, PyObject* cls) {
    if (!PyType_Check(cls)) return PyErr_Format(PyExc_TypeError, "a class was expected");
    try {
        return Py_NewRef(reinterpret_cast<PyObject*>(reinterpret_cast<Plans*>(self)->find((PyTypeObject*)cls)));
    } catch (PythonError&) {
        return nullptr;
    } catch (std::bad_alloc&) {
        return PyErr_NoMemory();
    }
}

static PyMethodDef plans_methods[] = {{"plan", plans_plan, METH_O, "Return the plan of a class, made when it is unknown."},
    {nullptr, nullptr, 0, nullptr}};
static PyType_Slot plans_slots[] = {{Py_tp_new, (void*)plans_new}, {Py_tp_dealloc, (void*)plans_dealloc},
    {Py_tp_traverse, (void*)plans_traverse}, {Py_tp_clear, (void*)plans_clear}, {Py_tp_methods, plans_methods},
    {Py_tp_doc, (void*)"Keep the plan of every class met so far."}, {0, nullptr}};
static PyType_Spec plans_spec = {"mason._core.Plans", sizeof(Plans), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, plans_slots};

static PyTypeObject* add_type(PyObject* module, PyType_Spec& spec) {
    Ref type = Ref::check(PyType_FromSpec(&spec));
    check(PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())));
    return reinterpret_cast<PyTypeObject*>(type.release());
}

void add_plan_types(PyObject* module) {
    state.plan_type = add_type(module, plan_spec);
    state.plans_type = add_type(module, plans_spec);
}

// ---- Record, Name, Tag, Simple: inert stand-ins ----

PyObject* new_pair(PyTypeObject* type, PyObject* first, PyObject* second) {
    Pair* pair = reinterpret_cast<Pair*>(type->tp_alloc(type, 0));
    if (pair == nullptr) throw PythonError{};
    pair->first = Py_NewRef(first);
    pair->second = Py_NewRef(second);
    return reinterpret_cast<PyObject*>(pair);
}

static PyObject* pair_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
    PyObject *first, *second = Py_None;
    if (kwargs != nullptr && PyDict_GET_SIZE(kwargs) > 0)
        return PyErr_Format(PyExc_TypeError, "%s takes no keyword arguments", type->tp_name);
    bool single = type == state.name_type || type == state.simple_type || type == state.forward_type;
    bool ok = single ? PyArg_ParseTuple(args, "O", &first) : PyArg_ParseTuple(args, "OO", &first, &second);
    if (!ok) return nullptr;
    bool texts = type == state.record_type || type == state.name_type;
    if (texts && !is_text(first)) return PyErr_Format(PyExc_TypeError, "the name must be a str");
    if (type == state.record_type) {
        if (!PyDict_CheckExact(second)) return PyErr_Format(PyExc_TypeError, "the items must be a dict");
        PyObject *key, *value;
        Py_ssize_t position = 0;
        while (PyDict_Next(second, &position, &key, &value))
            if (!is_text(key)) return PyErr_Format(PyExc_TypeError, "the items' keys must be str");
    }
    if (!texts) {
        if (!PyLong_CheckExact(first)) return PyErr_Format(PyExc_TypeError, "the number must be an int");
        unsigned long long number = PyLong_AsUnsignedLongLong(first);
        if (number == (unsigned long long)-1 && PyErr_Occurred()) {
            PyErr_Clear();
            return PyErr_Format(PyExc_ValueError, "a number between 0 and 2**64-1 was expected, not %R", first);
        }
        if (type == state.simple_type && (number > 255 || (number > 19 && number < 23) || (number > 23 && number < 32)))
            return PyErr_Format(PyExc_ValueError, "not a simple value that stands for itself: %R", first);
    }
    try {
        return new_pair(type, first, second);
    } catch (PythonError&) {
        return nullptr;
    } catch (std::bad_alloc&) {
        return PyErr_NoMemory();
    }
}

static int pair_traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(reinterpret_cast<Pair*>(self)->first);
    Py_VISIT(reinterpret_cast<Pair*>(self)->second);
    return 0;
}

static int pair_clear(PyObject* self) {
    Py_CLEAR(reinterpret_cast<Pair*>(self)->first);
    Py_CLEAR(reinterpret_cast<Pair*>(self)->second);
    return 0;
}

static void pair_dealloc(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, pair_dealloc)  // chains of records may be long
    pair_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyObject* pair_repr(PyObject* self) {
    Pair* pair = reinterpret_cast<Pair*>(self);
    PyTypeObject* type = Py_TYPE(self);
    if (type == state.record_type)
        return PyUnicode_FromFormat("<Record %.200R, %zd items>", pair->first, PyDict_GET_SIZE(pair->second));
    if (type == state.name_type) return PyUnicode_FromFormat("Name(%R)", pair->first);
    if (type == state.tag_type) return PyUnicode_FromFormat("<Tag %R of %s>", pair->first, Py_TYPE(pair->second)->tp_name);
    return PyUnicode_FromFormat("Simple(%R)", pair->first);
}

static PyObject* pair_reduce(PyObject* self, PyObject*) {
    Pair* pair = reinterpret_cast<Pair*>(self);
    if (Py_TYPE(self) == state.name_type || Py_TYPE(self) == state.simple_type)
        return Py_BuildValue("O(O)", Py_TYPE(self), pair->first);
    return Py_BuildValue("O(OO)", Py_TYPE(self), pair->first, pair->second);
}

static PyObject* pair_first(PyObject* self, void*) { return Py_NewRef(reinterpret_cast<Pair*>(self)->first); }
static PyObject* pair_second(PyObject* self, void*) { return Py_NewRef(reinterpret_cast<Pair*>(self)->second); }

static PyMethodDef pair_methods[] = {{"__reduce__", pair_reduce, METH_NOARGS, "Copy as what it is: an inert stand-in."},
    {nullptr, nullptr, 0, nullptr}};
static PyGetSetDef record_getters[] = {{"name", pair_first, nullptr, "The name that the document gives.", nullptr},
    {"items", pair_second, nullptr, "The raw slots, as in the document.", nullptr}, {nullptr, nullptr, nullptr, nullptr, nullptr}};
static PyGetSetDef name_getters[] = {{"name", pair_first, nullptr, "The name that the document gives.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
static PyGetSetDef tag_getters[] = {{"number", pair_first, nullptr, "The tag's number.", nullptr},
    {"value", pair_second, nullptr, "The tagged value.", nullptr}, {nullptr, nullptr, nullptr, nullptr, nullptr}};
static PyGetSetDef simple_getters[] = {{"number", pair_first, nullptr, "The simple value's number.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

// Name and Simple are atoms: two of one content are equal. A Record or a Tag is itself only.
static PyObject* atom_compare(PyObject* a, PyObject* b, int op) {
    if (Py_TYPE(a) != Py_TYPE(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
    return PyObject_RichCompare(reinterpret_cast<Pair*>(a)->first, reinterpret_cast<Pair*>(b)->first, op);
}
static Py_hash_t atom_hash(PyObject* self) { return PyObject_Hash(reinterpret_cast<Pair*>(self)->first); }

#define MASON_PAIR(variable, text, getters, documentation, ...)                                                              \
    static PyType_Slot variable##_slots[] = {{Py_tp_new, (void*)pair_new}, {Py_tp_dealloc, (void*)pair_dealloc},            \
        {Py_tp_traverse, (void*)pair_traverse}, {Py_tp_clear, (void*)pair_clear}, {Py_tp_repr, (void*)pair_repr},           \
        {Py_tp_methods, pair_methods}, {Py_tp_getset, getters}, {Py_tp_doc, (void*)documentation}, ##__VA_ARGS__ {0, nullptr}}; \
    static PyType_Spec variable##_spec = {"mason._core." text, sizeof(Pair), 0,                                             \
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, variable##_slots};
MASON_PAIR(record, "Record", record_getters, "Stand for an instance of a class that was not used: its name and raw slots.", )
MASON_PAIR(name, "Name", name_getters, "Stand for a class or function that was not looked up.",
    {Py_tp_richcompare, (void*)atom_compare}, {Py_tp_hash, (void*)atom_hash}, )
MASON_PAIR(tag, "Tag", tag_getters, "Keep a CBOR tag that mason does not know (RFC 8949 section 3.4).", )
MASON_PAIR(simple, "Simple", simple_getters, "Keep a CBOR simple value (RFC 8949 section 3.3); 23 is undefined.",
    {Py_tp_richcompare, (void*)atom_compare}, {Py_tp_hash, (void*)atom_hash}, )
MASON_PAIR(forward, "Forward", simple_getters, "Hold the place of a shared object that is not complete yet.", )
#undef MASON_PAIR

void add_pair_types(PyObject* module) {
    state.record_type = add_type(module, record_spec);
    state.name_type = add_type(module, name_spec);
    state.tag_type = add_type(module, tag_spec);
    state.simple_type = add_type(module, simple_spec);
    state.forward_type = reinterpret_cast<PyTypeObject*>(Ref::check(PyType_FromSpec(&forward_spec)).release());
}

}  // namespace mason
