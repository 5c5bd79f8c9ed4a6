// Strategy: strict RFC 8259, one pass, no tree in between: values go onto the builder's stack as they are read.
// The bytes end in a NUL (as Python's do), which no JSON value contains, so the scanner may look at the byte at
// the end. An instance whose fields come in the order of the last one compares raw bytes and makes no keys.
#pragma once

#include "build.hpp"
#include "text.hpp"

#include <charconv>
#include <cmath>

namespace mason {

class JsonReader : public Builder {
  public:
    JsonReader(const char* text, size_t length, PyObject* resolve, const LoadOptions& options)
        : Builder(resolve, options), text_(reinterpret_cast<const unsigned char*>(text)), end_(text_ + length) {
        size = length;
    }

    Ref read();
    bool typed() const { return typed_; }
    bool text_source = false;  // a str, in which a byte order mark is a character like any other

  private:
    enum class Next : uint8_t { Value, Done };

    size_t at() const { return size_t(p_ - text_); }
    [[noreturn]] void syntax(const char* message) const { fail("syntax", message, "", at()); }
    void space() {
        while (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t') ++p_;
    }
    bool take(char c) {
        if (*p_ != (unsigned char)c) return false;
        ++p_;
        return true;
    }
    void expect(char c, const char* message) {
        space();
        if (!take(c)) syntax(message);
    }

    // Each reads one value at p_ and pushes it.
    void number();
    void float_number(const unsigned char* start);
    Ref string();            // after the opening quote
    Ref long_string(const unsigned char* start, const unsigned char* stop);
    Ref key_string();        // at the opening quote
    void word();
    int64_t plain_integer(const char* what);

    Next open_object();
    Next next_key(bool first);
    Next reserved_key(Frame& frame, Key code, bool first);
    Next close_object();
    Next open_array();
    Next close_array();
    Next map_entry();
    void use_type(Frame& frame);
    void slot_shape(Frame& frame);
    void late_slots(Frame& frame);
    void bare_contents_to_slots(Frame& frame);
    void escape_keys(Frame& frame);
    Ref form(Frame& frame);
    Ref one_form(Key code, PyObject* value, Frame& frame);
    Ref base64(PyObject* text, bool mutable_twin, size_t at);
    bool field_key(Frame& frame);
    enum class Quick : uint8_t { No, Pushed, Opened };
    Quick quick_object();           // an object as mason writes it, of a kind that recurs; No leaves it to open_object()
    Quick known_instance();
    bool quick_form();

    const unsigned char* text_;
    const unsigned char* end_;
    const unsigned char* p_ = nullptr;
    bool typed_ = false;
    bool restart_ = false;
    bool late_types_ = false;  // a $type came after content: nothing is made before its object ends
};

}  // namespace mason
