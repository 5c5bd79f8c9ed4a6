// Strategy: a Plan says how the objects of one class are taken apart and put together. It is made in Python
// (mason.plans, mason.adapters) once per class and run here once per object. What the hot loops need of it
// (spelled keys, slot offsets, places among the shared keys) is worked out when first used and kept.
#pragma once

#include "buffer.hpp"
#include "cpython_layout.hpp"
#include "ref.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace mason {

enum class Kind : uint8_t { Fields, NamedTuple, Enum, Parts, Name, Decimal, Uuid, Fraction, Refused };

// The reserved keys of the notation (spec: JSON rules); the order is that of `reserved_texts`.
enum class Key : uint8_t {
    Mason, Type, Id, Ref, Value, Tuple, Set, Frozenset, Map, List, Dict, Bytes, Bytearray, Complex, Float, Int,
    Decimal, Fraction, Datetime, Date, Time, Timedelta, Uuid, Global, Tag, Simple, Str, Enum, New, Newkw, Call,
    State, Extra, Unset, Fold, Tz,
    Count, None = 255,
};
constexpr int reserved_count = int(Key::Count);
extern const char* const reserved_texts[reserved_count];

// What the content of an instance's slot looks like (spec: slots); None for keys that are no slots.
enum class SlotShape : uint8_t { None, Array, Object, Any };
SlotShape slot_shape_of(Key key);
// Whether a CBOR tag is one that the notation gives a meaning of its own.
bool own_tag(uint64_t number);
// Which reserved key a text is, or None.
Key reserved_code(PyObject* key);

struct Field {
    Ref name;                // interned
    Py_ssize_t offset = -1;  // of its slot; -1 when it lives in the instance's dictionary
    bool plain = true;       // false when a data descriptor of the class would catch setattr
    mutable int place = -1;  // last place seen among the shared keys of the class
    Spelled json;            // ,"name":
    Spelled cbor;            // the encoded key
};

// One set of attributes in one order, as instances of the class were seen to have it.
struct Shape {
    std::vector<Field> fields;
    int stored = 0;  // how many of them live in the dictionary
    mutable uint8_t places[32] = {};      // those of the stored fields among the shared keys, in order
    mutable bool placed = false;          // whether `places` is known
    mutable uint8_t stores[32] = {};      // those of all fields, in order, when loading can store them so
    mutable bool storable = false;
    bool settled(PyTypeObject* cls) const {
        return storable || settle(cls);
    }
    bool settle(PyTypeObject* cls) const;
};

// An enum member as it is written, and the name under which its class had it.
struct Member {
    Ref name;
    std::string json, cbor;
};

struct PlanBody {
    Spelled json_head;  // {"$type":"name"
    Spelled cbor_head;  // tag 283, array of 2, the name
    std::vector<std::unique_ptr<Shape>> shapes;
    std::vector<Field> slots;  // every slot of the class
    bool has_dict = false;
    bool managed_dict = false;  // where layout::managed_dict finds it
    std::vector<Ref> home;     // module and steps under which the class was found when the plan was made
    uint64_t checked = 0;      // the last walk that found it there
    int learned = 0;
    int reads_decimals = -1;   // whether layout::small_decimal may be used; -1 until asked
    std::unordered_map<PyObject*, Member> members;  // those of an enum that were written
};

struct Plan {
    PyObject_HEAD
    Kind kind;
    bool atom, hooked, declared;
    unsigned stamp;  // the class's version tag when the plan was made
    PyTypeObject* cls;
    PyObject *kind_name, *name, *fields, *slots, *defaults, *factories, *dropped, *hashed, *take, *make, *shell, *fill, *members,
        *upgrade, *reason, *hint;
    PlanBody* body;

    // Whether `name` is a declared field of a dataclass or attrs class.
    bool declares(PyObject* attribute) const;
    // The shape of exactly these attribute names, learned now when there is room; null when there is none.
    const Shape* shape_for(const std::vector<Ref>& names);
    // Whether the class is still what its name leads to.
    bool at_home() const;
    // The slot of that name, or null.
    const Field* slot_named(PyObject* attribute) const;
};

// The cache type -> Plan of one Registry.
struct Plans {
    PyObject_HEAD
    PyObject* make;
    std::unordered_map<PyTypeObject*, Plan*>* table;

    // The plan of a class (borrowed), made by calling Python when it is unknown or the class has changed.
    Plan* find(PyTypeObject* type);
};

// What Python gave us at import, and what is made once.
struct State {
    PyObject* reserved[reserved_count];  // interned texts of the reserved keys
    PyObject *dump_error, *load_error, *mason_error, *refused, *kind_plan;
    PyObject *not_trusted, *needs_judging;
    PyTypeObject *plan_type, *plans_type, *record_type, *name_type, *tag_type, *simple_type, *forward_type, *order_type;
};
extern State state;

// A pair of references with a Python face: Record(name, items), Name(name, _), Tag(number, value), Simple(number, _).
struct Pair {
    PyObject_HEAD
    PyObject* first;
    PyObject* second;
};

PyObject* new_pair(PyTypeObject* type, PyObject* first, PyObject* second);  // shares both

std::string json_spelling(PyObject* string, bool escape_dollar);
std::string cbor_spelling(PyObject* string, bool escape_dollar);

inline bool starts_with_dollar(PyObject* string) {
    return PyUnicode_GET_LENGTH(string) > 0 && PyUnicode_READ_CHAR(string, 0) == '$';
}

// The decimal digits of an int, whatever the interpreter's limit on them is (sys.set_int_max_str_digits).
std::string decimal_digits(PyObject* number);
// The int of decimal digits, with a sign perhaps, whatever the interpreter's limit is.
Ref integer_of_digits(const char* digits, size_t count);
// Whether an int has more than the 4300 decimal digits that the notation writes in one number.
bool beyond_digits(PyObject* number);

void add_plan_types(PyObject* module);
void add_pair_types(PyObject* module);

}  // namespace mason
