#include "hcs/guest/cmd/clock.hpp"

#include <cstdio>

namespace mullion::cmd {
namespace {

template <class... Arguments>
Text formatted(const wchar_t* format, Arguments... arguments) {
    wchar_t buffer[128];
    int size = _snwprintf(buffer, 128, format, arguments...);
    return Text(buffer, static_cast<std::size_t>(size > 0 ? size : 0));
}

SYSTEMTIME now() {
    SYSTEMTIME time;
    GetLocalTime(&time);
    return time;
}

Text clock_of(const SYSTEMTIME& time) {
    int hour = time.wHour % 12 == 0 ? 12 : time.wHour % 12;
    return formatted(L"%02d:%02d %ls", hour, time.wMinute, time.wHour < 12 ? L"AM" : L"PM");
}

Text stamp(const FILETIME& time, const wchar_t* between) {
    FILETIME local;
    SYSTEMTIME parts;
    FileTimeToLocalFileTime(&time, &local);
    FileTimeToSystemTime(&local, &parts);
    return formatted(L"%02d/%02d/%04d%ls", parts.wMonth, parts.wDay, parts.wYear, between) + clock_of(parts);
}

}  // namespace

Text date_text() {
    static constexpr const wchar_t* kDays[] = {L"Sun", L"Mon", L"Tue", L"Wed", L"Thu", L"Fri", L"Sat"};
    SYSTEMTIME time = now();
    return formatted(L"%ls %02d/%02d/%04d", kDays[time.wDayOfWeek % 7], time.wMonth, time.wDay, time.wYear);
}

Text time_text() {
    SYSTEMTIME time = now();
    return formatted(L"%2d:%02d:%02d.%02d", time.wHour, time.wMinute, time.wSecond, time.wMilliseconds / 10);
}

Text clock_text() {
    return clock_of(now());
}

Text stamp_text(const FILETIME& time) {
    return stamp(time, L" ");
}

Text listing_stamp(const FILETIME& time) {
    return stamp(time, L"  ");
}

int random_number() {
    static std::uint32_t state = 0;
    if (state == 0) {
        LARGE_INTEGER counter;
        QueryPerformanceCounter(&counter);
        state = (static_cast<std::uint32_t>(counter.QuadPart) ^ (GetCurrentProcessId() << 16)) | 1;
    }
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return static_cast<int>(state & 0x7fff);
}

Text windows_version() {
    RTL_OSVERSIONINFOW version{};
    version.dwOSVersionInfoSize = sizeof version;
    auto ask = reinterpret_cast<LONG(WINAPI*)(RTL_OSVERSIONINFOW*)>(
        reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion")));
    if (ask) ask(&version);
    DWORD revision = 0, size = sizeof revision;
    HMODULE registry = LoadLibraryW(L"advapi32.dll");  // loaded when needed: start-up is what counts
    auto query = reinterpret_cast<decltype(&RegGetValueW)>(
        reinterpret_cast<void*>(GetProcAddress(registry, "RegGetValueW")));
    if (query) {
        query(HKEY_LOCAL_MACHINE, L"Software\\Microsoft\\Windows NT\\CurrentVersion", L"UBR",
              RRF_RT_REG_DWORD, nullptr, &revision, &size);
    }
    return formatted(L"Microsoft Windows [Version %lu.%lu.%lu.%lu]", version.dwMajorVersion,
                     version.dwMinorVersion, version.dwBuildNumber, revision);
}

}  // namespace mullion::cmd
