// Strategy: the order is the callback of the weak reference. Each holds the other, and both end when the set does.
#include "order.hpp"

#include "cpython_layout.hpp"
#include "plan.hpp"

#include <unordered_map>
#include <vector>

namespace mason {

namespace {

struct SetOrder {
    PyObject_VAR_HEAD
    PyObject* reference;
    PyObject* elements[1];  // as many as Py_SIZE says
};

// The set is gone.
PyObject* end_order(PyObject* self, PyObject*, PyObject*) {
    Py_CLEAR(reinterpret_cast<SetOrder*>(self)->reference);
    Py_RETURN_NONE;
}

void dealloc_order(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyType_Slot order_slots[] = {{Py_tp_call, (void*)end_order}, {Py_tp_dealloc, (void*)dealloc_order}, {0, nullptr}};
PyType_Spec order_spec = {"mason._core.SetOrder", offsetof(SetOrder, elements), sizeof(PyObject*),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, order_slots};

}  // namespace

void add_order_type() { state.order_type = reinterpret_cast<PyTypeObject*>(Ref::check(PyType_FromSpec(&order_spec)).release()); }

void tie_order(PyObject* set, PyObject* elements) {
    Py_ssize_t count = PyList_GET_SIZE(elements);
    if (count < 2) return;
    Ref owned = Ref::check(state.order_type->tp_alloc(state.order_type, count));
    SetOrder* order = reinterpret_cast<SetOrder*>(owned.get());
    for (Py_ssize_t i = 0; i < count; ++i) order->elements[i] = PyList_GET_ITEM(elements, i);
    order->reference = Ref::check(PyWeakref_NewRef(set, owned.get())).release();
}

void restore_order(PyObject* set, PyObject* elements) {
    PyObject* tied = layout::weak_callback(set, state.order_type);
    if (tied == nullptr) return;
    SetOrder* order = reinterpret_cast<SetOrder*>(tied);
    size_t known = size_t(Py_SIZE(tied)), count = size_t(PyList_GET_SIZE(elements));
    std::unordered_map<PyObject*, size_t> places(known);
    for (size_t i = 0; i < known; ++i) places.emplace(order->elements[i], i);
    std::vector<PyObject*> sorted(known), since;
    PyObject** items = reinterpret_cast<PyListObject*>(elements)->ob_item;
    for (size_t i = 0; i < count; ++i) {
        auto place = places.find(items[i]);
        if (place == places.end())
            since.push_back(items[i]);
        else
            sorted[place->second] = items[i];
    }
    for (PyObject* element : sorted)
        if (element != nullptr) *items++ = element;
    for (PyObject* element : since) *items++ = element;
}

}  // namespace mason
