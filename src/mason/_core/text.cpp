// Strategy: what is done once per string that is not ASCII, or of which something must be escaped.
#include "cbor_text.hpp"
#include "text.hpp"

namespace mason {

namespace text {

void json_escaped(Buffer& out, const unsigned char* from, size_t count) {
    constexpr size_t piece = 4096;
    while (count > 0) {
        const unsigned char* end = from + (count < piece ? count : piece);
        count -= size_t(end - from);
        out.need(size_t(end - from) * 6);
        char* at = out.at;
        for (;;) {
            size_t plain = copy_plain(at, from, size_t(end - from));
            from += plain;
            at += plain;
            if (from == end) break;
            at = escape_one(at, *from++);
        }
        out.at = at;
    }
}

bool json_wide(Buffer& out, PyObject* string) {
    layout::ready(string);
    size_t size;
    if (const unsigned char* kept = layout::kept_utf8(string, size)) return json_utf8(out, kept, size), true;
    Sound sound;
    with_characters(string, [&](auto from, size_t count) {
        constexpr size_t piece = 4096;
        auto last = from + count;
        out.put('"');
        while (from < last) {
            auto end = from + (size_t(last - from) < piece ? size_t(last - from) : piece);
            out.need(size_t(end - from) * 6);
            out.at = transcode<true>(out.at, from, end, last, sound);
            from = end;
        }
        out.put('"');
    });
    return sound.json;
}

}  // namespace text

void cbor_wide_text(Buffer& out, PyObject* string) {
    layout::ready(string);
    size_t size;
    if (const unsigned char* kept = layout::kept_utf8(string, size)) {
        out.need(size + 9);
        out.at = cbor_head(out.at, 3, size);
        std::memcpy(out.at, kept, size);
        out.at += size;
        return;
    }
    text::with_characters(string, [&](auto from, size_t count) {  // the head is written behind its text, when it is known
        size_t most = count * (sizeof *from == 1 ? 2 : sizeof *from == 2 ? 3 : 4);
        out.need(most + 16);
        text::Sound sound;
        char head[16], *start = out.at + (cbor_head(head, 3, most) - head);
        size = size_t(text::transcode<false>(start, from, from + count, from + count, sound) - start);
        char* end = cbor_head(sound.utf8 ? head : cbor_head(head, 6, 273), sound.utf8 ? 3 : 2, size);
        size_t before = size_t(end - head);
        if (out.at + before != start) std::memmove(out.at + before, start, size);
        std::memcpy(out.at, head, before);
        out.at += before + size;
    });
}

}  // namespace mason
