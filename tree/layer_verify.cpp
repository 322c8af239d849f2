#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

#include "base/base64.hpp"
#include "base/error.hpp"
#include "tree/delta_budget.hpp"
#include "tree/hive.hpp"
#include "tree/layer_form.hpp"
#include "tree/layer_tar.hpp"
#include "tree/name.hpp"
#include "tree/registry.hpp"
#include "tree/reparse.hpp"
#include "tree/security_descriptor.hpp"
#include "tree/tar_reader.hpp"

namespace mullion::tree {
namespace {

constexpr std::string_view kUtilityFiles = "UtilityVM/Files";
constexpr std::size_t kMaxFindings = 1000;

// What an importer has made of an entry; values of the name table.
enum class Made { Directory, File, Link };

bool lies_in(std::string_view name, std::string_view folder) {
    return name.size() > folder.size() && name.starts_with(folder) && name[folder.size()] == '/';
}

class Verifier {
  public:
    Verifier(bool is_base_layer, const Tree* lower, const DeltaLimits& limits)
        : base_(is_base_layer), lower_(lower), budget_(limits) {}

    void entry(const TarEntry& entry);
    // Of the same entry: is it a registry hive that Windows will load? Then hive() looks into it.
    bool is_hive(const TarEntry& entry) const;
    void hive(base::Source& bytes);
    void end();
    std::vector<LayerFinding> findings() { return std::move(findings_); }

  private:
    template <typename... Args>
    void report(base::LocatedFormat<std::type_identity_t<Args>...> format, Args&&... args) {
        if (findings_.size() > kMaxFindings) return;
        if (findings_.size() == kMaxFindings) {
            findings_.push_back({name_, fmt::format("There are more than {} findings.", kMaxFindings)});
            return;
        }
        std::string problem = fmt::format(format.text, std::forward<Args>(args)...);
        findings_.push_back({name_, fmt::format("\"{}\" {}.", printable(name_), problem)});
    }

    bool check_path();
    void check_names();
    void check_parent();
    void check_unique(Made made);
    void check_records(const TarEntry& entry);
    void check_descriptor(const TarEntry& entry);
    void check_attributes(const TarEntry& entry);
    void check_place();
    void whiteout(const TarEntry& entry);
    void stream(const TarEntry& entry, std::size_t colon);
    void hard_link(const TarEntry& entry);
    void object(const TarEntry& entry);
    bool exists_below(const std::string& target) const;
    bool is_removed(std::string_view folded) const;
    // Counts what is kept under a name: the name, folded and as spelled.
    void count_name(std::size_t bytes);

    bool base_;
    const Tree* lower_;
    DeltaBudget budget_;
    std::vector<LayerFinding> findings_;
    std::string name_;  // of the entry at hand, without trailing slash
    // Entries so far by folded name, with the spelling that came first.
    struct Known {
        Made made;
        std::string spelling;
    };
    std::unordered_map<std::string, Known> known_;
    std::unordered_set<std::string> removed_;  // folded names
    // Where streams and whiteouts may come now: the last file or directory, and the directory of which
    // nothing but whiteouts has come yet.
    std::string stream_owner_;
    std::unordered_set<std::string> streams_;
    std::string whiteouts_of_;
    std::vector<std::string> dirty_hives_;  // names
};

// False if nothing more can be said about the entry.
bool Verifier::check_path() {
    if (name_.starts_with('/')) return report("has an absolute name"), false;
    if (name_.find('\\') != std::string::npos) return report("has a backslash in its name"), false;
    if (name_.size() >= 2 && name_[1] == ':') return report("has a drive letter in its name"), false;
    std::vector<std::string_view> names = split(name_);
    for (std::string_view name : names) {
        if (name.empty()) return report("has an empty element in its name"), false;
        if (name == ".." || name == ".") return report("has \"{}\" in its name", name), false;
    }
    if (!section_path(name_)) {
        return report("lies outside \"Files\", \"Hives\" and \"UtilityVM\""), false;
    }
    return true;
}

// Is every element legal on NTFS? Those before the last were judged with their own entries, if they had some.
void Verifier::check_names() {
    std::string_view name = base_name(name_);
    if (auto problem = name_problem(Os::Windows, name)) report("cannot exist on NTFS: its name {}", *problem);
}

void Verifier::check_parent() {
    std::string_view parent = parent_of(name_);
    if (parent.empty()) return;
    auto found = known_.find(fold(Os::Windows, parent));
    if (found == known_.end()) {
        report("has no parent: \"{}\" is not in the layer before it", printable(parent));
    } else if (found->second.made != Made::Directory) {
        report("lies below \"{}\", which is not a directory", printable(parent));
    }
}

void Verifier::check_unique(Made made) {
    std::string folded = fold(Os::Windows, name_);
    if (removed_.contains(folded)) {
        report("is both written and removed by the layer: importers remove it last");
    }
    auto [known, added] = known_.try_emplace(std::move(folded), Known{made, name_});
    if (added) return count_name(name_.size());
    if (known->second.spelling == name_) {
        report("is in the layer twice");
    } else {
        report("differs from \"{}\" only by case", printable(known->second.spelling));
    }
}

void Verifier::count_name(std::size_t bytes) {
    budget_.add_bytes(kMapNodeBytes + sizeof(std::string) + sizeof(Known) + 2 * bytes);
}

// The binary form wins over the legacy text, as it does for an importer.
void Verifier::check_descriptor(const TarEntry& entry) {
    const std::string_view* raw = entry.find(pax_key::kDescriptor);
    const std::string_view* sddl = entry.find(pax_key::kSddl);
    try {
        if (raw != nullptr) {
            auto bytes = base::decode_base64(*raw);
            if (!bytes) throw base::fail(base::ErrorCode::Corrupt, "it is not base64");
            SecurityDescriptor::parse(*bytes);
        } else if (sddl != nullptr) {
            SecurityDescriptor::parse_sddl(*sddl);
        }
    } catch (const base::Error& error) {
        report("has a malformed security descriptor: {}", error.what());
    }
}

void Verifier::check_records(const TarEntry& entry) {
    check_descriptor(entry);
    for (const PaxRecord& record : entry.records) {
        std::string_view key = record.key;
        if (key == pax_key::kWindowsAttribute) {
            report("has an extended attribute without a name");
        } else if (key.starts_with(pax_key::kWindowsAttribute)) {
            if (!base::decode_base64(record.value)) report("has a malformed record {}", printable(key));
        } else if (key == pax_key::kCreated || key == "atime" || key == "ctime") {
            if (!parse_pax_time(record.value)) report("has a malformed record {}", printable(key));
        } else if (key.starts_with("MSWINDOWS.") && key != pax_key::kAttributes &&
                   key != pax_key::kMountPoint && key != pax_key::kDescriptor && key != pax_key::kSddl) {
            report("has the unknown record {}", printable(key));
        }
    }
}

// Do the attributes and the kind of entry agree?
void Verifier::check_attributes(const TarEntry& entry) {
    const std::string_view* text = entry.find(pax_key::kAttributes);
    bool directory = entry.type == TarType::Directory;
    if (text == nullptr) {
        if (entry.type == TarType::Symlink) report("is a link without MSWINDOWS.fileattr");
        return;
    }
    std::uint32_t value = 0;
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size()) {
        return report("has the malformed MSWINDOWS.fileattr \"{}\"", printable(*text));
    }
    bool says_directory = (value & attribute::kDirectory) != 0;
    bool reparse = (value & attribute::kReparsePoint) != 0;
    if (directory && !says_directory) report("is a directory without the directory attribute");
    if (entry.type == TarType::File && says_directory) report("is a file with the directory attribute");
    if (entry.type == TarType::Symlink && !reparse) report("is a link without the reparse point attribute");
    if (entry.type != TarType::Symlink && entry.type != TarType::HardLink && reparse) {
        report("has the reparse point attribute but is no link");
    }
}

// The rules for the top of the layer.
void Verifier::check_place() {
    SectionPath at = *section_path(name_);
    if (at.section != Section::UtilityVm || at.path.empty()) return;
    if (name_ != kUtilityFiles && !lies_in(name_, kUtilityFiles)) {
        report("is invalid: \"UtilityVM\" holds nothing but \"Files\"");
    }
}

void Verifier::whiteout(const TarEntry& entry) {
    std::string_view removed = base_name(name_).substr(kWhiteoutPrefix.size());
    std::string_view parent = parent_of(name_);
    if (removed == ".wh..opq") {
        return report("is an opaque whiteout, which removes nothing on Windows");
    }
    if (removed.empty() || entry.type != TarType::File || entry.size != 0) report("is a malformed whiteout");
    if (base_) report("is a whiteout in a base layer");
    bool in_files = lies_in(name_, section_name(Section::Files)) || lies_in(name_, kUtilityFiles);
    if (!in_files) report("is a whiteout outside \"Files\" and \"UtilityVM/Files\"");
    if (whiteouts_of_ != parent) report("is a whiteout that does not directly follow its directory");
    std::string target = join(parent, removed);
    std::string folded = fold(Os::Windows, target);
    if (known_.contains(folded)) report("removes what the layer itself writes");
    if (!removed_.insert(std::move(folded)).second) return report("is in the layer twice");
    count_name(target.size());
}

void Verifier::stream(const TarEntry& entry, std::size_t colon) {
    std::string owner = name_.substr(0, colon);
    std::string stream = name_.substr(colon + 1);
    if (entry.type != TarType::File || stream.empty() || stream.find(':') != std::string::npos ||
        parent_of(name_).find(':') != std::string_view::npos) {
        return report("cannot exist on NTFS: its name contains ':'");
    }
    if (stream_owner_ != owner) {
        return report("does not directly follow its file: it would become a file of that name");
    }
    if (auto problem = name_problem(Os::Windows, stream))
        report("cannot exist on NTFS: the stream {}", *problem);
    if (!streams_.insert(fold(Os::Windows, stream)).second) return report("is in the layer twice");
    count_name(stream.size());
}

// Does a lower layer have a file there that can be linked to? Without one to look at, we take it on trust.
bool Verifier::exists_below(const std::string& target) const {
    if (base_) return false;
    if (lower_ == nullptr || !lies_in(target, section_name(Section::Files))) return true;
    NodeRef node = lower_->find(target.substr(section_name(Section::Files).size() + 1));
    return node != nullptr && node->kind == NodeKind::File;
}

// Does the layer remove the path or one of its parents?
bool Verifier::is_removed(std::string_view folded) const {
    for (; !folded.empty(); folded = parent_of(folded)) {
        if (removed_.contains(std::string(folded))) return true;
    }
    return false;
}

void Verifier::hard_link(const TarEntry& entry) {
    const std::string& target = entry.link_name;
    auto linkable = [](std::string_view name) {
        return lies_in(name, section_name(Section::Files)) || lies_in(name, kUtilityFiles);
    };
    if (!linkable(name_) || !linkable(target) ||
        section_path(name_)->section != section_path(target)->section) {
        return report(
            "is a hard link to \"{}\": both must lie below \"Files\" or both below "
            "\"UtilityVM/Files\"",
            printable(target));
    }
    std::string folded = fold(Os::Windows, target);
    auto found = known_.find(folded);
    if (is_removed(folded)) {
        report("is a hard link to \"{}\", which the layer removes", printable(target));
    } else if (found != known_.end() && found->second.made == Made::Directory) {
        report("is a hard link to the directory \"{}\"", printable(target));
    } else if (found != known_.end() && found->second.made == Made::Link) {
        report("is a hard link to the link \"{}\"", printable(target));
    } else if (found == known_.end() && !exists_below(target)) {
        report("is a hard link to \"{}\", which is no file earlier in the layer or below it",
               printable(target));
    }
}

void Verifier::object(const TarEntry& entry) {
    check_names();
    check_parent();
    check_place();
    check_attributes(entry);
    bool section_root = section_path(name_)->path.empty() || name_ == kUtilityFiles;
    if (section_root && entry.type != TarType::Directory) report("must be a directory");
    Made made = Made::File;
    switch (entry.type) {
        case TarType::Directory:
            made = Made::Directory;
            break;
        case TarType::HardLink:
            hard_link(entry);
            break;
        case TarType::File:
            break;
        case TarType::Symlink:
            made = Made::Link;
            try {
                encode_reparse({entry.find(pax_key::kMountPoint) != nullptr, entry.link_name});
            } catch (const base::Error& error) {
                report("is a malformed link: {}", error.what());
            }
            break;
        default:
            report("is neither a file, a directory nor a link");
            break;
    }
    check_unique(made);
}

void Verifier::entry(const TarEntry& entry) {
    budget_.add_entry();
    name_ = entry.name;
    while (name_.size() > 1 && name_.ends_with('/')) name_.pop_back();
    if (!check_path()) {
        stream_owner_.clear();
        whiteouts_of_.clear();
        return;
    }
    check_records(entry);
    if (base_name(name_).starts_with(kWhiteoutPrefix)) {
        check_parent();
        whiteout(entry);
        stream_owner_.clear();
        return;
    }
    if (std::size_t colon = name_.find(':'); colon != std::string::npos) return stream(entry, colon);
    object(entry);
    whiteouts_of_ = entry.type == TarType::Directory ? name_ : std::string();
    stream_owner_ = entry.type == TarType::HardLink ? std::string() : name_;
    streams_.clear();
}

// A base layer's own hives, and the differencing ones of others.
bool Verifier::is_hive(const TarEntry& entry) const {
    auto at = entry.type == TarType::File ? section_path(name_) : std::nullopt;
    if (!at || at->path.empty() || base_name(name_).starts_with(kWhiteoutPrefix)) return false;
    if (at->section == Section::Hives) return hive_of_delta(at->path).has_value();
    return base_ && at->section == Section::Files && hive_at_path(at->path).has_value();
}

void Verifier::hive(base::Source& bytes) {
    try {
        HiveFile hive(bytes.read_all(HiveFile::kMaxSize, "the registry hive"));
        hive.read();
        if (hive.dirty()) dirty_hives_.push_back(name_);
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::Canceled) throw;
        report("cannot be loaded into the registry: {}", error.what());
    }
}

void Verifier::end() {
    for (std::string& hive : dirty_hives_) {
        name_ = std::move(hive);
        if (known_.contains(fold(Os::Windows, name_ + ".LOG1"))) continue;
        report("is a registry hive that was not closed, and its log is not in the layer");
    }
    name_ = section_name(Section::Files);
    if (!known_.contains(fold(Os::Windows, name_))) report("is missing");
}

}  // namespace

std::vector<LayerFinding> verify_layer(base::Source& tar, bool is_base_layer, const Tree* lower,
                                       const base::CancelToken& cancel, const DeltaLimits& limits) {
    Verifier verifier(is_base_layer, lower, limits);
    TarReader reader(tar);
    TarEntry entry;
    while (reader.next(entry)) {
        cancel.check();
        verifier.entry(entry);
        if (verifier.is_hive(entry)) verifier.hive(reader.content());
    }
    verifier.end();
    return verifier.findings();
}

}  // namespace mullion::tree
