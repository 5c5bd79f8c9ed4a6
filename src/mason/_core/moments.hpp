// Strategy: dates, times and durations as text (RFC 3339, RFC 9557 for a zone in brackets, ISO 8601 for durations),
// both ways, over the C API of the datetime module. What has no plain text (fold, a named or foreign tzinfo)
// is left to the caller.
#pragma once

#include "ref.hpp"

#include <cstdint>
#include <cstring>
#include <datetime.h>

namespace mason::moments {

// The datetime module's C API, fetched when the module is in use.
static inline bool ready() { return PyDateTimeAPI != nullptr; }
static inline void fetch() {
    if (ready()) return;
    Ref module = Ref::check(PyImport_ImportModule("datetime"));
    PyDateTime_IMPORT;
    if (ready()) return;
    if (PyErr_ExceptionMatches(PyExc_ImportError)) PyErr_NoMemory();  // it is there: what failed was told as this
    throw PythonError{};
}
static inline void fetch_if_loaded() {
    if (ready()) return;
    Ref name = Ref::check(PyUnicode_InternFromString("datetime"));
    bool loaded = PyDict_GetItemWithError(PyImport_GetModuleDict(), name.get()) != nullptr;
    if (PyErr_Occurred()) throw PythonError{};
    if (loaded) fetch();
}

static inline char* two(char* at, int n) {
    at[0] = char('0' + n / 10);
    at[1] = char('0' + n % 10);
    return at + 2;
}
static inline char* four(char* at, int n) { return two(two(at, n / 100), n % 100); }
static inline char* micros(char* at, int n) {
    *at++ = '.';
    return two(two(two(at, n / 10000), n / 100 % 100), n % 100);
}

static inline char* write_date(char* at, PyObject* date) {
    at = four(at, PyDateTime_GET_YEAR(date));
    *at++ = '-';
    at = two(at, PyDateTime_GET_MONTH(date));
    *at++ = '-';
    return two(at, PyDateTime_GET_DAY(date));
}

static inline char* write_clock(char* at, int hour, int minute, int second, int microsecond) {
    at = two(at, hour);
    *at++ = ':';
    at = two(at, minute);
    *at++ = ':';
    at = two(at, second);
    return microsecond ? micros(at, microsecond) : at;
}

static inline char* write_wall(char* at, PyObject* moment) {
    at = write_date(at, moment);
    *at++ = 'T';
    return write_clock(at, PyDateTime_DATE_GET_HOUR(moment), PyDateTime_DATE_GET_MINUTE(moment),
        PyDateTime_DATE_GET_SECOND(moment), PyDateTime_DATE_GET_MICROSECOND(moment));
}

// An offset from UTC as "+01:00", with seconds and microseconds where it has them.
static inline char* write_offset(char* at, PyObject* delta) {
    int64_t days = PyDateTime_DELTA_GET_DAYS(delta), seconds = PyDateTime_DELTA_GET_SECONDS(delta);
    int64_t total = (days * 86400 + seconds) * 1000000 + PyDateTime_DELTA_GET_MICROSECONDS(delta);
    *at++ = total < 0 ? '-' : '+';
    if (total < 0) total = -total;
    int micro = int(total % 1000000);
    int64_t whole = total / 1000000;
    at = two(at, int(whole / 3600));
    *at++ = ':';
    at = two(at, int(whole / 60 % 60));
    if (whole % 60 || micro) {
        *at++ = ':';
        at = two(at, int(whole % 60));
        if (micro) at = micros(at, micro);
    }
    return at;
}

// A duration as ISO 8601 days and seconds: P1DT3723.000004S, with a leading minus below zero.
static inline char* write_delta(char* at, PyObject* delta) {
    int64_t days = PyDateTime_DELTA_GET_DAYS(delta), seconds = PyDateTime_DELTA_GET_SECONDS(delta);
    int64_t micro = PyDateTime_DELTA_GET_MICROSECONDS(delta);
    if (days < 0) {  // only the days of a normalised timedelta are ever negative
        *at++ = '-';
        if (micro) micro = 1000000 - micro, ++seconds;
        if (seconds) seconds = 86400 - seconds, ++days;
        days = -days;
    }
    *at++ = 'P';
    auto number = [&](int64_t n) {
        char digits[24];
        int count = 0;
        do digits[count++] = char('0' + n % 10);
        while (n /= 10);
        while (count) *at++ = digits[--count];
    };
    if (days) {
        number(days);
        *at++ = 'D';
        if (!seconds && !micro) return at;
    }
    *at++ = 'T';
    number(seconds);
    if (micro) at = micros(at, int(micro));
    *at++ = 'S';
    return at;
}

// ---- reading: each function moves `at` over what it read, or returns false ----

static inline bool digits(const char*& at, const char* end, int count, int& value) {
    if (end - at < count) return false;
    value = 0;
    for (int i = 0; i < count; ++i) {
        if (at[i] < '0' || at[i] > '9') return false;
        value = value * 10 + (at[i] - '0');
    }
    at += count;
    return true;
}

static inline bool expect(const char*& at, const char* end, char c) { return at < end && *at == c ? (++at, true) : false; }

// A fraction of a second, ".5" to ".000005"; more than six digits would be cut and are refused.
static inline bool fraction(const char*& at, const char* end, int& microsecond) {
    microsecond = 0;
    if (at >= end || *at != '.') return true;
    const char* start = ++at;
    int scale = 100000;
    for (; at < end && *at >= '0' && *at <= '9'; ++at, scale /= 10) microsecond += (*at - '0') * scale;
    return at - start >= 1 && at - start <= 6;
}

struct Wall {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, microsecond = 0;
};

static inline bool read_date(const char*& at, const char* end, Wall& wall) {
    return digits(at, end, 4, wall.year) && expect(at, end, '-') && digits(at, end, 2, wall.month) && expect(at, end, '-') &&
           digits(at, end, 2, wall.day);
}

static inline bool read_clock(const char*& at, const char* end, Wall& wall) {
    return digits(at, end, 2, wall.hour) && expect(at, end, ':') && digits(at, end, 2, wall.minute) && expect(at, end, ':') &&
           digits(at, end, 2, wall.second) && fraction(at, end, wall.microsecond) && wall.hour < 24 && wall.minute < 60 &&
           wall.second < 60;
}

// An offset: Z, or a sign with hours, minutes and perhaps seconds; total in microseconds, less than a day.
static inline bool read_offset(const char*& at, const char* end, int64_t& total) {
    if (expect(at, end, 'Z') || expect(at, end, 'z')) {
        total = 0;
        return true;
    }
    bool negative = at < end && *at == '-';
    if (!negative && !(at < end && *at == '+')) return false;
    ++at;
    int hours, minutes, seconds = 0, micro = 0;
    if (!digits(at, end, 2, hours) || !expect(at, end, ':') || !digits(at, end, 2, minutes)) return false;
    if (at < end && *at == ':') {
        ++at;
        if (!digits(at, end, 2, seconds) || !fraction(at, end, micro)) return false;
    }
    if (hours > 23 || minutes > 59 || seconds > 59) return false;
    total = ((hours * 60 + minutes) * 60LL + seconds) * 1000000 + micro;
    if (negative) total = -total;
    return true;
}

static inline Ref new_delta(int64_t days, int64_t seconds, int64_t micro) {
    return Ref::check(PyDelta_FromDSU(int(days), int(seconds), int(micro)));
}

static inline Ref zone_of(int64_t offset) {
    if (offset == 0) return Ref::share(PyDateTime_TimeZone_UTC);
    int64_t whole = offset / 1000000, micro = offset % 1000000;
    return Ref::check(PyTimeZone_FromOffset(new_delta(0, whole, micro).get()));
}

// A duration as written by write_delta.
static inline bool read_delta(const char* at, const char* end, Ref& result) {
    bool negative = expect(at, end, '-');
    if (!expect(at, end, 'P')) return false;
    auto number = [&](int64_t& value) {
        const char* start = at;
        for (value = 0; at < end && *at >= '0' && *at <= '9' && at - start < 15; ++at) value = value * 10 + (*at - '0');
        return at > start;
    };
    int64_t days = 0, seconds = 0, value;
    int micro = 0;
    bool any = false;
    if (at < end && *at != 'T') {
        if (!number(value) || !expect(at, end, 'D')) return false;
        days = value;
        any = true;
    }
    if (at < end) {
        if (!expect(at, end, 'T') || !number(value) || !fraction(at, end, micro) || !expect(at, end, 'S')) return false;
        seconds = value;
        any = true;
    }
    if (!any || at != end || days > 999999999 || seconds > 86400LL * 999999999) return false;
    if (negative) days = -days, seconds = -seconds, micro = -micro;
    days += seconds / 86400;
    seconds %= 86400;
    if (days > 999999999 || days < -1000000000) return false;
    PyObject* made = PyDelta_FromDSU(int(days), int(seconds), micro);
    if (made == nullptr) {
        if (PyErr_ExceptionMatches(PyExc_MemoryError)) throw PythonError{};
        PyErr_Clear();
        return false;
    }
    result = Ref::steal(made);
    return true;
}

}  // namespace mason::moments
