// `mullion cache`: what builds have left in the state.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/byte_text.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/option_values.hpp"
#include "cli/report.hpp"
#include "cli/table.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;
using cache::CacheMountInfo;

struct ListOptions {
    std::string format = "table";
    bool quiet = false;
};

// The names as buildx du has them, and what it does not tell (MountID, InUse of one).
base::OrderedJson object_of(const CacheMountInfo& mount) {
    base::OrderedJson object;
    object["ID"] = mount.name;
    object["Type"] = "exec.cachemount";
    object["MountID"] = mount.id;
    object["Size"] = mount.size;
    object["CreatedAt"] = mount.created.rfc3339();
    object["LastUsedAt"] = mount.used.rfc3339();
    object["UsageCount"] = mount.uses;
    object["InUse"] = mount.in_use;
    return object;
}

std::string render(const std::vector<CacheMountInfo>& mounts, const ListOptions& options) {
    std::string text;
    if (options.quiet) {
        for (const CacheMountInfo& mount : mounts) text += mount.name + "\n";
        return text;
    }
    if (options.format == "json") {
        for (const CacheMountInfo& mount : mounts) text += object_of(mount).dump() + "\n";
        return text;
    }
    std::vector<std::vector<std::string>> cells = {{"ID", "MOUNT ID", "SIZE", "LAST USED", "USES", "IN USE"}};
    std::int64_t now = base::FileTime::now().seconds();
    for (const CacheMountInfo& mount : mounts) {
        cells.push_back({mount.name, mount.id, human_size(mount.size), human_age(now - mount.used.seconds()),
                         std::to_string(mount.uses), mount.in_use ? "yes" : "no"});
    }
    return format_table(cells);
}

int list_mounts(Context& context, const ListOptions& options) {
    fmt::print("{}", render(context.state().mounts().list(), options));
    return kSuccess;
}

int remove_mounts(Context& context, const std::vector<std::string>& names) {
    int code = kSuccess;
    std::uint64_t freed = 0;
    for (const std::string& name : names) {
        try {
            freed += context.state().mounts().remove(name);
            fmt::print("{}\n", name);
        } catch (const base::Error& error) {
            report_error(error, "", context.debug);
            code = kFailure;
        }
    }
    fmt::print("Total: {}\n", human_size(freed));
    return code;
}

// --filter: all have to be true.
struct Filter {
    std::optional<std::string> id;
    std::optional<base::FileTime> used_before;

    bool matches(const CacheMountInfo& mount) const {
        return (!id || mount.id == *id) && (!used_before || mount.used < *used_before);
    }
};

Filter parse_filters(const std::vector<std::string>& texts) {
    Filter filter;
    for (const std::string& text : texts) {
        std::size_t equals = std::min(text.find('='), text.size());
        std::string name = text.substr(0, equals);
        std::string value = equals == text.size() ? "" : text.substr(equals + 1);
        if (name == "until") {
            std::int64_t age = parse_duration(value).count();
            filter.used_before =
                base::FileTime{base::FileTime::now().ticks - age * base::FileTime::kTicksPerSecond};
        } else if (name == "id") {
            filter.id = value;
        } else {
            throw fail(ErrorCode::Invalid, "invalid --filter \"{}\": expected until=DURATION or id=MOUNT-ID",
                       text);
        }
    }
    return filter;
}

int prune_mounts(Context& context, const Filter& filter) {
    auto unwanted = [&](const CacheMountInfo& mount) { return filter.matches(mount); };
    std::uint64_t freed = 0;
    for (const CacheMountInfo& mount : context.state().mounts().prune(unwanted)) {
        fmt::print("{}\n", mount.name);
        freed += mount.size;
    }
    fmt::print("Total: {}\n", human_size(freed));
    return kSuccess;
}

void add_list(CLI::App& group, Context& context) {
    auto options = std::make_shared<ListOptions>();
    CLI::App* command = group.add_subcommand("ls", "List them");
    command->add_option("--format", options->format, "table or json")
        ->check(CLI::IsMember({"table", "json"}));
    command->add_flag("-q,--quiet", options->quiet, "Only IDs");
    command->callback([&context, options] {
        context.action = [&context, options] { return list_mounts(context, *options); };
    });
}

void add_remove(CLI::App& group, Context& context) {
    auto names = std::make_shared<std::vector<std::string>>();
    CLI::App* command = group.add_subcommand("rm", "Remove some");
    command->add_option("ID", *names, "As `ls` shows it")->required()->take_all();
    command->callback(
        [&context, names] { context.action = [&context, names] { return remove_mounts(context, *names); }; });
}

void add_prune(CLI::App& group, Context& context) {
    auto filters = std::make_shared<std::vector<std::string>>();
    CLI::App* command = group.add_subcommand("prune", "Remove all that no step uses");
    command
        ->add_option("--filter", *filters,
                     "Only those not used for a time (until=24h), only those of a mount id (id=/nuget)")
        ->take_all()
        ->allow_extra_args(false);
    command->callback([&context, filters] {
        Filter filter = parse_filters(*filters);
        context.action = [&context, filter] { return prune_mounts(context, filter); };
    });
}

int collect_garbage(Context& context) {
    fmt::print("Total: {}\n", human_size(context.state().images().collect_garbage(context.cancel)));
    return kSuccess;
}

void add_collect(CLI::App& group, Context& context) {
    CLI::App* command = group.add_subcommand(
        "prune",
        "Remove what neither an image nor a result of the last month needs, and base layers that "
        "can be fetched again");
    command->callback([&context] { context.action = [&context] { return collect_garbage(context); }; });
}

}  // namespace

void add_cache(CLI::App& app, Context& context) {
    CLI::App* cache = app.add_subcommand("cache", "Look after what builds keep");
    cache->require_subcommand(1);
    add_collect(*cache, context);
    CLI::App* mounts = cache->add_subcommand("mounts", "The directories of RUN --mount=type=cache");
    mounts->require_subcommand(1);
    add_list(*mounts, context);
    add_remove(*mounts, context);
    add_prune(*mounts, context);
}

}  // namespace mullion::cli
