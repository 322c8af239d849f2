#include "tree/base_image.hpp"

#include <fmt/format.h>

#include <map>

#include "base/error.hpp"
#include "tree/base_registry.hpp"
#include "tree/name.hpp"
#include "tree/security_descriptor.hpp"
#include "tree/sid.hpp"

namespace mullion::tree {
namespace {

// Whose a directory is, and with that its descriptor: protected ones of its own, or its parent's.
enum class Owner {
    System,         // of the system: TrustedInstaller, not to be changed by others
    Shared,         // written by everybody
    Temp,           // Windows\Temp: everybody creates, nobody lists
    ProfileRoot,    // Users
    Administrator,  // profiles: the account's and the administrators'
    User,
    Template,  // Users\Default: for the system to copy
    Inherited,
};

struct Directory {
    std::string_view path;
    Owner owner = Owner::Inherited;
    std::uint32_t attributes = 0;  // besides kDirectory
};

// Names and casing as in images of Windows Server. The profiles get their folders below.
constexpr Directory kDirectories[] = {
    {"Program Files", Owner::System, attribute::kReadOnly},
    {"Program Files/Common Files"},
    {"Program Files (x86)", Owner::System, attribute::kReadOnly},
    {"Program Files (x86)/Common Files"},
    {"ProgramData", Owner::Shared, attribute::kHidden},
    {"ProgramData/Microsoft", Owner::Inherited, attribute::kSystem},
    {"ProgramData/Microsoft/Windows"},
    {"Users", Owner::ProfileRoot, attribute::kReadOnly},
    {"Windows", Owner::System},
    {"Windows/Fonts", Owner::Inherited, attribute::kReadOnly | attribute::kSystem},
    {"Windows/Globalization"},
    {"Windows/INF"},
    {"Windows/Logs"},
    {"Windows/ServiceProfiles"},
    {"Windows/ServiceProfiles/LocalService"},
    {"Windows/ServiceProfiles/NetworkService"},
    {"Windows/System"},
    {"Windows/System32"},
    {"Windows/System32/catroot"},
    {"Windows/System32/config"},
    {"Windows/System32/config/RegBack"},
    {"Windows/System32/config/systemprofile"},
    {"Windows/System32/drivers"},
    {"Windows/System32/drivers/etc"},
    {"Windows/System32/en-US"},
    {"Windows/System32/spool"},
    {"Windows/System32/Tasks"},
    {"Windows/System32/wbem"},
    {"Windows/System32/WindowsPowerShell"},
    {"Windows/System32/WindowsPowerShell/v1.0"},
    {"Windows/SystemResources"},
    {"Windows/Temp", Owner::Temp},
    {"Windows/WinSxS"},
};

struct Profile {
    std::string_view name;
    Owner owner;
    std::uint32_t attributes;
};
constexpr Profile kProfiles[] = {
    {"ContainerAdministrator", Owner::Administrator, 0},
    {"ContainerUser", Owner::User, 0},
    {"Default", Owner::Template, attribute::kHidden},
    {"Public", Owner::Inherited, attribute::kReadOnly},
};
constexpr Directory kProfileDirectories[] = {
    {"AppData", Owner::Inherited, attribute::kHidden},
    {"AppData/Local"},
    {"AppData/Local/Microsoft"},
    {"AppData/Local/Microsoft/Windows"},
    {"AppData/Local/Temp"},
    {"AppData/LocalLow"},
    {"AppData/Roaming"},
    {"AppData/Roaming/Microsoft"},
    {"AppData/Roaming/Microsoft/Windows"},
    {"Desktop", Owner::Inherited, attribute::kReadOnly},
    {"Documents", Owner::Inherited, attribute::kReadOnly},
    {"Downloads", Owner::Inherited, attribute::kReadOnly},
};
constexpr std::string_view kPublicDirectories[] = {"Desktop", "Documents", "Downloads"};

constexpr std::string_view kHosts =
    "# Host names and addresses, one entry a line: an IP address, then names.\r\n"
    "#\r\n"
    "#\t127.0.0.1       localhost\r\n"
    "#\t::1             localhost\r\n";

std::string_view owner_sid(Owner owner) {
    switch (owner) {
        case Owner::System:
            return sid::kTrustedInstaller;
        case Owner::Administrator:
            return sid::kContainerAdministrator;
        case Owner::User:
            return sid::kContainerUser;
        default:
            return sid::kSystem;
    }
}

// The access lists Windows' own set-up gives these directories.
std::string_view access_list(Owner owner) {
    switch (owner) {
        case Owner::System:
            return "D:PAI(A;OICIIO;GA;;;CO)(A;OICIIO;GA;;;SY)(A;;0x1301bf;;;SY)(A;OICIIO;GA;;;BA)"
                   "(A;;0x1301bf;;;BA)(A;OICIIO;GRGX;;;BU)(A;;0x1200a9;;;BU)(A;CIIO;GA;;;{TI})(A;;FA;;;{TI})"
                   "(A;;0x1200a9;;;AC)(A;OICIIO;GRGX;;;AC)";
        case Owner::Shared:
            return "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICIIO;GA;;;CO)(A;OICI;0x1200a9;;;BU)"
                   "(A;CI;0x116;;;BU)";
        case Owner::Temp:
            return "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICIIO;GA;;;CO)(A;CI;0x100026;;;BU)";
        case Owner::ProfileRoot:
        case Owner::Template:
            return "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GRGX;;;BU)"
                   "(A;;0x1200a9;;;WD)(A;OICIIO;GRGX;;;WD)";
        default:
            return "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{OWNER})";
    }
}

class BaseImage {
  public:
    explicit BaseImage(base::FileTime time) : time_(time) {}

    void directories();
    void directory(std::string path, Owner owner, std::uint32_t attributes);
    void profile(const Profile& profile);
    void file(std::string path, std::string text);
    Delta finish();

  private:
    // Of a directory: what its children inherit from.
    struct Parent {
        DescriptorRef descriptor;
        std::string_view owner = sid::kSystem;
    };

    Parent parent(std::string_view path) const;
    DescriptorRef own_descriptor(Owner owner);
    DescriptorRef inherited(const Parent& parent, bool for_directory);
    void put(std::string path, Node node);
    Metadata metadata(DescriptorRef descriptor, std::uint32_t attributes) const;

    base::FileTime time_;
    Delta delta_;
    std::map<std::string, Parent, std::less<>> parents_;
    std::map<std::string, DescriptorRef> descriptors_;  // equal ones shared
};

Metadata BaseImage::metadata(DescriptorRef descriptor, std::uint32_t attributes) const {
    Metadata metadata;
    metadata.attributes = attributes;
    metadata.descriptor = std::move(descriptor);
    metadata.set_times(time_);
    return metadata;
}

void BaseImage::put(std::string path, Node node) {
    delta_.changes.push_back(Upsert{std::move(path), std::make_shared<const Node>(std::move(node))});
}

BaseImage::Parent BaseImage::parent(std::string_view path) const {
    auto found = parents_.find(parent_of(path));
    return found == parents_.end() ? Parent{} : found->second;
}

DescriptorRef BaseImage::own_descriptor(Owner owner) {
    auto replace = [](std::string text, std::string_view what, std::string_view by) {
        for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what)) {
            text.replace(at, what.size(), by);
        }
        return text;
    };
    std::string sddl = fmt::format("O:{0}G:{0}", owner_sid(owner)) + std::string(access_list(owner));
    sddl = replace(std::move(sddl), "{TI}", sid::kTrustedInstaller);
    sddl = replace(std::move(sddl), "{OWNER}", owner_sid(owner));
    std::string bytes = SecurityDescriptor::parse_sddl(sddl).self_relative();
    auto shared = std::make_shared<const std::string>(bytes);
    return descriptors_.try_emplace(std::move(bytes), shared).first->second;
}

DescriptorRef BaseImage::inherited(const Parent& parent, bool for_directory) {
    DescriptorRef descriptor = inherit_descriptor(parent.descriptor, for_directory, parent.owner);
    return descriptors_.try_emplace(*descriptor, descriptor).first->second;
}

void BaseImage::directory(std::string path, Owner owner, std::uint32_t attributes) {
    Parent self;
    if (owner == Owner::Inherited) {
        self.owner = parent(path).owner;
        self.descriptor = inherited(parent(path), true);
    } else {
        self.owner = owner_sid(owner);
        self.descriptor = own_descriptor(owner);
    }
    parents_[path] = self;
    Node node;
    node.metadata = metadata(self.descriptor, attributes | attribute::kDirectory);
    put(std::move(path), std::move(node));
}

void BaseImage::profile(const Profile& profile) {
    std::string root = join("Users", profile.name);
    directory(root, profile.owner, profile.attributes);
    if (profile.name == "Public") {
        for (std::string_view name : kPublicDirectories) {
            directory(join(root, name), Owner::Inherited, attribute::kReadOnly);
        }
        return;
    }
    for (const Directory& entry : kProfileDirectories) {
        directory(join(root, entry.path), entry.owner, entry.attributes);
    }
}

void BaseImage::directories() {
    for (const Directory& entry : kDirectories) {
        directory(std::string(entry.path), entry.owner, entry.attributes);
    }
    for (const Profile& entry : kProfiles) profile(entry);
}

void BaseImage::file(std::string path, std::string text) {
    Node node;
    node.kind = NodeKind::File;
    node.metadata = metadata(inherited(parent(path), false), attribute::kArchive);
    node.content = Content::inline_bytes(std::move(text));
    put(std::move(path), std::move(node));
}

Delta BaseImage::finish() {
    delta_.files_root = metadata(nullptr, attribute::kDirectory);
    delta_.hives_root = delta_.files_root;
    canonicalise(delta_, Tree(Os::Windows));
    return std::move(delta_);
}

}  // namespace

Delta base_image_layer(const BaseImageOptions& options) {
    BaseImage image(options.time);
    image.directories();
    image.file("License.txt",
               fmt::format("This is a stand-in for a Windows {} base image, for offline use and tests.\r\n"
                           "It holds directories and metadata only: no file in it is Microsoft's.\r\n",
                           options.os_version));
    image.file("Windows/System32/drivers/etc/hosts", std::string(kHosts));
    for (auto& [hive, bytes] : base_hives(options)) image.file(hive_path(hive), std::move(bytes));
    return image.finish();
}

Tree standard_directories(base::FileTime time) {
    BaseImage image(time);
    image.directories();
    return apply(Tree(Os::Windows), image.finish());
}

}  // namespace mullion::tree
