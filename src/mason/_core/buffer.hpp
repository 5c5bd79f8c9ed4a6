// Strategy: output grows inside one bytes object, so that nothing is copied at the end. `need(n)` promises
// n bytes plus `slack`, within which a writer may store whole vector registers past what it counts.
#pragma once

#include "ref.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

namespace mason {

// Bytes that are written often: padded, so that they are copied in whole registers without a call.
class Spelled {
  public:
    Spelled() : Spelled(std::string()) {}
    explicit Spelled(std::string text) : text_(std::move(text)), size_(text_.size()) {
        text_.resize(size_ / 16 * 16 + 32);
        for (size_t i = 0; i < 16 && i < size_; ++i) reinterpret_cast<unsigned char*>(mask_)[i] = 0xFF;
        std::memcpy(head_, text_.data(), 16);
        for (int i = 0; i < 2; ++i) head_[i] &= mask_[i];
    }
    const char* data() const { return text_.data(); }
    size_t size() const { return size_; }
    // Whether the text stands at `at`, where at least `left` bytes may be read.
    bool stands(const void* at, size_t left) const {
        if (left < size_) return false;
        if (left < 16) return std::memcmp(at, text_.data(), size_) == 0;
        uint64_t found[2];
        std::memcpy(found, at, 16);
        if (((found[0] & mask_[0]) ^ head_[0]) | ((found[1] & mask_[1]) ^ head_[1])) return false;
        return size_ <= 16 || std::memcmp(static_cast<const char*>(at) + 16, text_.data() + 16, size_ - 16) == 0;
    }

  private:
    std::string text_;
    size_t size_;
    uint64_t head_[2] = {0, 0}, mask_[2] = {0, 0};
};

class Buffer {
  public:
    static constexpr size_t slack = 32;

    Buffer() { grow(1024); }
    ~Buffer() { Py_XDECREF(bytes_); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    size_t size() const { return size_t(at - start_); }
    const char* data() const { return start_; }
    void need(size_t count) {
        if (size_t(end_ - at) < count + slack) grow(count);
    }
    void put(char c) {
        need(1);
        *at++ = c;
    }
    void put(const char* text, size_t count) {
        need(count);
        std::memcpy(at, text, count);
        at += count;
    }
    void put(const Spelled& spelled, size_t skip = 0) {
        size_t count = spelled.size() - skip;
        need(count);
        const char* from = spelled.data() + skip;
        for (size_t i = 0; i < count; i += 16) std::memcpy(at + i, from + i, 16);
        at += count;
    }
    template <size_t N>
    void literal(const char (&text)[N]) {
        need(N - 1);
        std::memcpy(at, text, N - 1);
        at += N - 1;
    }
    // The bytes object, cut to size; the buffer is empty afterwards.
    Ref take() {
        Py_ssize_t count = Py_ssize_t(size());
        PyObject* result = std::exchange(bytes_, nullptr);
        start_ = at = end_ = nullptr;
        if (_PyBytes_Resize(&result, count) < 0) throw PythonError{};
        return Ref::steal(result);
    }

    char* at = nullptr;  // where the next byte goes; valid until the next need()

  private:
    void grow(size_t count) {
        size_t used = size(), want = used + count + slack;
        size_t room = size_t(end_ - start_);
        room = room < (1u << 16) ? room * 4 : room + room / 2;
        if (room < want) room = want;
        if (room > size_t(std::numeric_limits<Py_ssize_t>::max()) / 2) {
            PyErr_NoMemory();
            throw PythonError{};
        }
        if (bytes_ == nullptr) {
            bytes_ = PyBytes_FromStringAndSize(nullptr, Py_ssize_t(room));
            if (bytes_ == nullptr) throw PythonError{};
        } else if (_PyBytes_Resize(&bytes_, Py_ssize_t(room)) < 0) {
            start_ = at = end_ = nullptr;
            throw PythonError{};
        }
        start_ = PyBytes_AS_STRING(bytes_);
        at = start_ + used;
        end_ = start_ + room;
    }

    PyObject* bytes_ = nullptr;
    char* start_ = nullptr;
    char* end_ = nullptr;
};

}  // namespace mason
