// Strategy: output grows inside one bytes object, so that what is long is not copied at the end; what is short never
// leaves the C stack until its size is known. `need(n)` promises n bytes plus `slack`: half of it for writers that
// store whole vector registers past what they count, half for punctuation, which is put without asking between two
// needs (`mark`).
#pragma once

#include "ref.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

namespace mason {

// Stores eight bytes, the highest first, or the lowest first.
inline void store_big(char* at, uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    std::memcpy(at, &word, 8);
}
inline void store_little(char* at, uint64_t word) {
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    std::memcpy(at, &word, 8);
}

// Copies in whole registers, so that no function is called; reads and writes up to 16 bytes more.
inline void copy_padded(char* to, const char* from, size_t count) {
    std::memcpy(to, from, 16);
    for (size_t i = 16; i < count; i += 16) std::memcpy(to + i, from + i, 16);
}

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
    static constexpr size_t slack = 64;

    Buffer() = default;
    ~Buffer() { Py_XDECREF(bytes_); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    size_t size() const { return size_t(at - start_); }
    const char* data() const { return start_; }
    void need(size_t count) {
        if (__builtin_expect(size_t(end_ - at) < count + slack, 0)) grow(count);
    }
    // One character of punctuation, within the slack that the last need() left.
    void mark(char c) { *at++ = c; }
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
        copy_padded(at, spelled.data() + skip, count);
        at += count;
    }
    template <size_t N>
    void literal(const char (&text)[N]) {
        need(N - 1);
        std::memcpy(at, text, N - 1);
        at += N - 1;
    }
    // Drops what was written behind `size`.
    void cut(size_t size) { at = start_ + size; }
    // The bytes object, cut to size; the buffer is not used afterwards.
    Ref take() {
        if (bytes_ == nullptr) return Ref::check(PyBytes_FromStringAndSize(start_, Py_ssize_t(size())));
        PyObject* result = std::exchange(bytes_, nullptr);
        if (_PyBytes_Resize(&result, Py_ssize_t(size())) < 0) throw PythonError{};
        return Ref::steal(result);
    }

  private:
    __attribute__((noinline)) void grow(size_t count) {
        size_t used = size(), want = used + count + slack, room = size_t(end_ - start_);
        room = room < (1u << 16) ? room * 4 : room + room / 2;
        if (room < want) room = want;
        if (room > size_t(std::numeric_limits<Py_ssize_t>::max()) / 2) {
            PyErr_NoMemory();
            throw PythonError{};
        }
        if (bytes_ == nullptr) {
            bytes_ = Ref::check(PyBytes_FromStringAndSize(nullptr, Py_ssize_t(room))).release();
            std::memcpy(PyBytes_AS_STRING(bytes_), start_, used);
        } else if (_PyBytes_Resize(&bytes_, Py_ssize_t(room)) < 0) {
            start_ = at = end_ = first_;
            throw PythonError{};
        }
        start_ = PyBytes_AS_STRING(bytes_);
        at = start_ + used;
        end_ = start_ + room;
    }

    char first_[2048];
    char* start_ = first_;
    char* end_ = first_ + sizeof first_;
    PyObject* bytes_ = nullptr;

  public:
    char* at = first_;  // where the next byte goes; valid until the next need()
};

}  // namespace mason
