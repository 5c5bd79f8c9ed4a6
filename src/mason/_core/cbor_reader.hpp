// Strategy: RFC 8949, every well-formedness rule, one pass onto the builder's stack. A count in a head is checked
// against the bytes that are left before anything is made for it. Tags lie on the frame stack like containers,
// so a million nested tags are a long stack and nothing else.
#pragma once

#include "build.hpp"

namespace mason {

class CborReader : public Builder {
  public:
    CborReader(const char* bytes, size_t length, PyObject* resolve, const LoadOptions& options)
        : Builder(resolve, options), bytes_(reinterpret_cast<const unsigned char*>(bytes)), end_(bytes_ + length) {
        size = length;
        json = false;
    }

    Ref read();

  private:
    struct Head {
        unsigned major, info;
        uint64_t number;
        size_t start;
        bool open_end() const { return info == 31; }
    };

    size_t at() const { return size_t(p_ - bytes_); }
    size_t left() const { return size_t(end_ - p_); }
    [[noreturn]] void malformed(const char* message, size_t where) const { fail("syntax", message, "", where); }
    [[noreturn]] void wrong(const std::string& message, size_t where) const { fail("value", message, "", where); }
    Head head();
    void skip_described();          // tag 55799 says only "this is CBOR" and is taken off wherever it stands
    bool leaf();                    // reads one item of the common kinds without a call; false leaves it to item()
    bool quick_tag();               // a moment, a decimal, a UUID; false leaves it to item()
    enum class Quick : uint8_t { No, Pushed, Opened };
    Quick known_instance() { return p_ < end_ && *p_ == 0xD9 ? recurring_instance() : Quick::No; }
    Quick recurring_instance();     // of a class that came before, as mason writes it; No leaves it to item()
    void run_fields();              // fields of the frame on top, as long as they are leaves in the expected order
    bool item();                    // reads one item; true when a frame was opened instead of a value pushed
    void integer(const Head& head);
    Ref bytes(const Head& head);
    Ref text(const Head& head);
    std::string_view chunk(const Head& head);
    bool collect(const Head& first, std::string& whole);
    void simple(const Head& head);
    bool array(const Head& head);
    bool map(const Head& head);
    bool tag(const Head& head);
    bool instance(size_t start);
    void back_reference(size_t start);
    bool key_item(Frame& frame);
    void slot_key(Frame& frame);
    void slot_shape(Frame& frame);
    int32_t waiting_id() const;     // the shared id that the next container is for, or -1
    void need_content(uint64_t tag, unsigned majors, const char* what);
    void close_top();
    Ref tagged(uint64_t tag, Ref value, size_t start);
    Ref epoch(PyObject* number, size_t start);
    Ref big_integer(PyObject* bytes, bool negative);
    Ref decimal(PyObject* list, bool extended, size_t start);
    Ref delta(PyObject* map, size_t start);
    Ref wtf8(PyObject* bytes, size_t start);

    const unsigned char* bytes_;
    const unsigned char* end_;
    const unsigned char* p_ = nullptr;
    int64_t next_id_ = 0;
};

}  // namespace mason
