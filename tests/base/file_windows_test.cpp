#include <gtest/gtest.h>
#include <windows.h>

#include <fstream>

#include "base/file.hpp"
#include "base/path_text.hpp"
#include "base/win32.hpp"
#include "tests/base/file_fixture.hpp"

namespace mullion::base {
namespace {

// e-acute, a CJK character, an emoji.
constexpr std::string_view kName = "caf\xc3\xa9-\xe6\x96\x87-\xf0\x9f\x98\x80";

TEST(Win32, TextIsUtf8InsideAndUtf16Outside) {
    EXPECT_EQ(to_wide(kName), L"caf\u00e9-\u6587-\U0001f600");
    EXPECT_EQ(from_wide(L"caf\u00e9-\u6587-\U0001f600"), kName);
    EXPECT_EQ(to_wide(""), L"");
    EXPECT_EQ(code_of([] { to_wide("\xff"); }), ErrorCode::Invalid);
    EXPECT_EQ(from_wide(std::wstring(1, wchar_t{0xd800})), "\xef\xbf\xbd");
}

TEST(Win32, PathsOfUtf8TextComeBackAsTheyWere) {
    EXPECT_EQ(to_path(kName).string(), kName);
    EXPECT_EQ(to_path(kName).native(), to_wide(kName));
    EXPECT_EQ(code_of([] { to_path("\xff"); }), ErrorCode::Invalid);
}

TEST_F(FileTest, NamesOfAnyScript) {
    write_file_atomic(directory_.path() / to_path(kName), "x");
    EXPECT_EQ(read_file(directory_.path() / to_path(kName), 10), "x");
    EXPECT_EQ(list_directory(directory_.path()), std::vector<std::string>{std::string(kName)});
}

TEST_F(FileTest, PathsBeyondMaxPath) {
    fs::path deep = directory_.path();
    for (int i = 0; i < 10; ++i) {
        deep /= std::wstring(50, L'd');
        ASSERT_NE(::CreateDirectoryW(native_path(deep).c_str(), nullptr), 0) << i;
    }
    ASSERT_GT(deep.native().size(), std::size_t{MAX_PATH});
    {
        PendingFile file(deep);
        file.write("far down");
        file.publish(deep / "file", true);
    }
    EXPECT_EQ(read_file(deep / "file", 100), "far down");
    FileLock lock(directory_.path() / "lock", FileLock::Mode::Exclusive);
    remove_tree(directory_.path() / std::wstring(50, L'd'));
    EXPECT_FALSE(fs::exists(directory_.path() / std::wstring(50, L'd')));
}

TEST_F(FileTest, ReadonlyTreesCanBeRemoved) {
    write_file_atomic(path("t") / "a" / "file", "x");
    ::SetFileAttributesW((path("t") / "a" / "file").c_str(), FILE_ATTRIBUTE_READONLY);
    ::SetFileAttributesW((path("t") / "a").c_str(), FILE_ATTRIBUTE_READONLY);
    remove_tree(path("t"));
    EXPECT_FALSE(fs::exists(path("t")));
}

// NTFS unlinks a name and leaves the file alone; elsewhere, as under Wine, its attribute stands in the way.
TEST_F(FileTest, ReadonlyFilesWithOtherNamesStayReadonlyOnNtfs) {
    write_file_atomic(path("kept"), "x");
    fs::create_directory(path("t"));
    fs::create_hard_link(path("kept"), path("t") / "link");
    ::SetFileAttributesW(path("kept").c_str(), FILE_ATTRIBUTE_READONLY);
    remove_tree(path("t"));
    EXPECT_FALSE(fs::exists(path("t")));
    EXPECT_EQ(read_file(path("kept"), 10), "x");
    DWORD attributes = ::GetFileAttributesW(path("kept").c_str());
    bool wine = ::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr;
    EXPECT_TRUE(wine || (attributes & FILE_ATTRIBUTE_READONLY) != 0);
}

TEST_F(FileTest, ErrorsHaveTheSystemsCodeAndTheFilesName) {
    try {
        open_read(path("none"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_EQ(error.system().value(), ERROR_FILE_NOT_FOUND);
        EXPECT_NE(std::string(error.what()).find("none"), std::string::npos);
    }
}

TEST_F(FileTest, DirectoriesAreNotReplaced) {
    fs::create_directory(path("d"));
    EXPECT_EQ(code_of([&] { write_file_atomic(path("d"), "x"); }), ErrorCode::Invalid);
}

}  // namespace
}  // namespace mullion::base
