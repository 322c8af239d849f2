// Registry hives ("regf" files, versions 1.3 to 1.6) as values: what Windows keeps in Windows\System32\config
// and in a layer's Hives folder. Own code, see docs/decisions/0007-registry-hives.md; the format is that of
// the public descriptions of the Windows registry file format (M. Suhanov, "Windows registry file format
// specification").
//
//     HiveFile hive(std::move(bytes));
//     if (auto path = hive.value("ControlSet001\\Control\\Session Manager\\Environment", "Path")) ...
//
// Paths of keys have backslashes and are relative to the root key; names compare as in Windows, without case.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_time.hpp"
#include "tree/metadata.hpp"

namespace mullion::tree {

namespace reg_type {
constexpr std::uint32_t kNone = 0;
constexpr std::uint32_t kString = 1;        // REG_SZ
constexpr std::uint32_t kExpandString = 2;  // REG_EXPAND_SZ: has %NAMES% in it
constexpr std::uint32_t kBinary = 3;
constexpr std::uint32_t kDword = 4;
constexpr std::uint32_t kDwordBigEndian = 5;
constexpr std::uint32_t kLink = 6;
constexpr std::uint32_t kMultiString = 7;
constexpr std::uint32_t kQword = 11;
}  // namespace reg_type

// What a key of a differencing hive (Hives\*_Delta) says about the key of that name in the layers below.
enum class LayerSemantics : std::uint8_t {
    Merge = 0,           // adds to it
    Tombstone = 1,       // removes it
    SupersedeLocal = 2,  // replaces its values
    SupersedeTree = 3,   // replaces its values and everything below it
};

struct HiveValue {
    std::string name;        // "" is the key's default value
    std::uint32_t type = 0;  // reg_type; other numbers are legal (SAM keeps RIDs there)
    std::string data;        // as stored: text is UTF-16LE, mostly with its NUL
    bool tombstone = false;  // of a differencing hive: removes the value below

    // Throw Invalid if `text` is not UTF-8.
    static HiveValue string(std::string name, std::string_view text);
    static HiveValue expand_string(std::string name, std::string_view text);
    static HiveValue multi_string(std::string name, const std::vector<std::string>& texts);
    static HiveValue dword(std::string name, std::uint32_t number);
    static HiveValue qword(std::string name, std::uint64_t number);
    static HiveValue binary(std::string name, std::string data);

    // A string of any kind up to its NUL, in UTF-8 (lone surrogates as U+FFFD); nullopt for other types.
    std::optional<std::string> text() const;
    // The strings of a REG_MULTI_SZ; nullopt for other types.
    std::optional<std::vector<std::string>> texts() const;
    // A DWORD of either order or a QWORD; nullopt for other types and sizes.
    std::optional<std::uint64_t> number() const;

    bool operator==(const HiveValue&) const = default;
};

struct HiveKey {
    std::string name;  // the root's has no meaning
    std::string class_name = {};
    base::FileTime written = {};
    DescriptorRef descriptor = nullptr;  // of a key that is written: null is the usual one of system hives
    LayerSemantics layer = LayerSemantics::Merge;
    std::vector<HiveValue> values = {};
    std::vector<HiveKey> subkeys = {};
};

// A hive that was read. The bytes are hostile: offsets, sizes, counts and depths are bounded by the file,
// cells that are used twice and cycles are found. Parses what is asked for, when it is asked for. Everything
// throws Corrupt for malformed bytes, naming the cell. A value: copies share nothing, const is thread-safe.
class HiveFile {
  public:
    // A hive is held in memory; whoever reads one refuses larger ones.
    static constexpr std::uint64_t kMaxSize = std::uint64_t{256} << 20;
    // Windows' own limit.
    static constexpr std::size_t kMaxDepth = 512;

    // Checks header and bins. Throws Corrupt, and Unsupported for versions before 1.3 and after 1.6.
    explicit HiveFile(std::string bytes);

    // Was it being written when it was last seen (sequence numbers or checksum differ)? The changes lie in a
    // log file beside it, which nobody replays here: what is read may be old.
    bool dirty() const { return dirty_; }

    // A key, by the offset of its cell.
    struct Key {
        std::uint32_t cell = 0;
        bool operator==(const Key&) const = default;
    };
    Key root() const { return {root_}; }
    std::optional<Key> find(std::string_view path) const;
    std::optional<Key> child(Key parent, std::string_view name) const;
    std::vector<Key> children(Key key) const;
    // Without subkeys.
    HiveKey describe(Key key) const;
    LayerSemantics layer(Key key) const;
    std::optional<HiveValue> value(std::string_view path, std::string_view name) const;

    // The whole hive. Besides, Corrupt for keys deeper than kMaxDepth and keys that are in it twice.
    HiveKey read() const;

  private:
    class Walk;

    std::string_view bins() const;
    std::string_view cell(std::uint32_t offset) const;
    std::string_view record(std::uint32_t offset, std::string_view signature, std::size_t size) const;
    std::string name_of(std::uint32_t key) const;
    void check_header();
    void find_bins();
    void list_leaf(std::string_view leaf, std::uint32_t limit, std::vector<Key>& out) const;
    HiveValue value_at(std::uint32_t offset, std::uint64_t& budget) const;
    std::string data_at(std::uint32_t offset, std::uint32_t size) const;
    HiveKey fields(Key key, std::uint64_t& budget) const;
    std::vector<HiveValue> values_of(std::string_view key, std::uint64_t& budget) const;
    DescriptorRef descriptor_at(std::uint32_t offset) const;

    std::string bytes_;
    std::uint32_t size_ = 0;  // of the bins
    std::uint32_t root_ = 0;
    std::uint32_t minor_ = 0;
    bool dirty_ = false;
    std::vector<std::uint32_t> bin_ends_;  // offsets behind each bin, ascending
};

struct HiveOptions {
    base::FileTime time;    // in the header; of every key that has no time of its own
    std::string file_name;  // in the header, for debuggers: the end of the file's path
};

// The hive of `root`, version 1.5 (1.6 if something in it is of a differencing hive): subkeys sorted by
// folded name, cells in the order of the tree. Equal input gives equal bytes. Throws Invalid for names that
// are no UTF-8, too long, contain a backslash, or that two subkeys or values of one key share, and for more
// than kMaxDepth levels.
std::string write_hive(const HiveKey& root, const HiveOptions& options);

}  // namespace mullion::tree
