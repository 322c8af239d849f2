// Documents to JSON: members in the order of the structs' fields, defaults omitted.
#include <string_view>

#include "base/json.hpp"
#include "hcs/schema.hpp"

namespace mullion::hcs {
namespace {

using Json = base::OrderedJson;

// Builds one object, leaving out what is default.
class Object {
  public:
    Object& text(const char* name, const std::string& value) {
        if (!value.empty()) json_[name] = value;
        return *this;
    }
    template <typename Number>
    Object& number(const char* name, Number value) {
        if (value != 0) json_[name] = value;
        return *this;
    }
    Object& flag(const char* name, bool value) {
        if (value) json_[name] = true;
        return *this;
    }
    Object& member(const char* name, Json value) {
        json_[name] = std::move(value);
        return *this;
    }
    template <typename Item, typename Write>
    Object& list(const char* name, const std::vector<Item>& items, Write write) {
        if (items.empty()) return *this;
        Json array = Json::array();
        for (const Item& item : items) array.push_back(write(item));
        return member(name, std::move(array));
    }
    template <typename Item, typename Write>
    Object& optional(const char* name, const std::optional<Item>& item, Write write) {
        if (item) member(name, write(*item));
        return *this;
    }
    Json json() { return std::move(json_); }

  private:
    Json json_ = Json::object();
};

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json write_version(const SchemaVersion& version) {
    return Object().member("Major", version.Major).number("Minor", version.Minor).json();
}

Json write_layer(const Layer& layer) {
    return Object().text("Id", layer.Id).text("Path", layer.Path).json();
}

Json write_storage(const Storage& storage) {
    return Object()
        .list("Layers", storage.Layers, write_layer)
        .text("Path", storage.Path)
        .optional("QoS", storage.QoS,
                  [](const StorageQoS& qos) {
                      return Object()
                          .number("IopsMaximum", qos.IopsMaximum)
                          .number("BandwidthMaximum", qos.BandwidthMaximum)
                          .json();
                  })
        .json();
}

Json write_processor(const Processor& processor) {
    return Object()
        .number("Count", processor.Count)
        .number("Maximum", processor.Maximum)
        .number("Weight", processor.Weight)
        .json();
}

// ReadOnly is written even when false: hosts' own documents do.
Json write_directory(const MappedDirectory& directory) {
    return Object()
        .text("HostPath", directory.HostPath)
        .text("ContainerPath", directory.ContainerPath)
        .member("ReadOnly", directory.ReadOnly)
        .json();
}

Json write_pipe(const MappedPipe& pipe) {
    return Object().text("HostPath", pipe.HostPath).text("ContainerPipeName", pipe.ContainerPipeName).json();
}

Json write_networking(const Networking& networking) {
    return Object()
        .text("Namespace", networking.Namespace)
        .flag("AllowUnqualifiedDnsQuery", networking.AllowUnqualifiedDnsQuery)
        .text("DnsSearchList", networking.DnsSearchList)
        .json();
}

Json write_device(const AssignedDevice& device) {
    return Object()
        .text("Type", device.Type)
        .text("InterfaceClassGuid", device.InterfaceClassGuid)
        .text("LocationPath", device.LocationPath)
        .json();
}

Json write_key(const RegistryKey& key) {
    return Object().text("Hive", key.Hive).text("Name", key.Name).json();
}

Json write_value(const RegistryValue& value) {
    return Object()
        .member("Key", write_key(value.Key))
        .text("Name", value.Name)
        .text("Type", value.Type)
        .text("StringValue", value.StringValue)
        .text("BinaryValue", value.BinaryValue)
        .number("DWordValue", value.DWordValue)
        .number("QWordValue", value.QWordValue)
        .json();
}

Json write_registry(const RegistryChanges& changes) {
    return Object()
        .list("AddValues", changes.AddValues, write_value)
        .list("DeleteKeys", changes.DeleteKeys, write_key)
        .json();
}

Json write_container(const Container& container) {
    return Object()
        .optional("GuestOs", container.GuestOs,
                  [](const GuestOs& os) { return Object().text("HostName", os.HostName).json(); })
        .member("Storage", write_storage(container.Storage))
        .optional("Memory", container.Memory,
                  [](const Memory& memory) { return Object().number("SizeInMB", memory.SizeInMB).json(); })
        .optional("Processor", container.Processor, write_processor)
        .list("MappedDirectories", container.MappedDirectories, write_directory)
        .list("MappedPipes", container.MappedPipes, write_pipe)
        .optional("Networking", container.Networking, write_networking)
        .list("AssignedDevices", container.AssignedDevices, write_device)
        .optional("RegistryChanges", container.RegistryChanges, write_registry)
        .json();
}

Json write_event(const ErrorEvent& event) {
    return Object()
        .text("Message", event.Message)
        .text("StackTrace", event.StackTrace)
        .text("Provider", event.Provider)
        .number("EventId", event.EventId)
        .number("Flags", event.Flags)
        .text("Source", event.Source)
        .json();
}

}  // namespace

std::string to_json(const ComputeSystemDocument& document) {
    return dump(Object()
                    .text("Owner", document.Owner)
                    .member("SchemaVersion", write_version(document.SchemaVersion))
                    .flag("ShouldTerminateOnLastHandleClosed", document.ShouldTerminateOnLastHandleClosed)
                    .member("Container", write_container(document.Container))
                    .json());
}

// The pipe flags are written even when false, as hosts' own documents do.
std::string to_json(const ProcessParameters& parameters) {
    Object object;
    object.text("ApplicationName", parameters.ApplicationName)
        .text("CommandLine", parameters.CommandLine)
        .text("User", parameters.User)
        .text("WorkingDirectory", parameters.WorkingDirectory);
    if (!parameters.Environment.empty()) object.member("Environment", parameters.Environment);
    object.flag("RestrictedToken", parameters.RestrictedToken)
        .member("EmulateConsole", parameters.EmulateConsole)
        .member("CreateStdInPipe", parameters.CreateStdInPipe)
        .member("CreateStdOutPipe", parameters.CreateStdOutPipe)
        .member("CreateStdErrPipe", parameters.CreateStdErrPipe)
        .optional("ConsoleSize", parameters.ConsoleSize, [](const ConsoleSize& size) {
            return Json::array({size.Height, size.Width});
        });
    return dump(object.json());
}

std::string to_json(const ProcessStatus& status) {
    return dump(Object()
                    .number("ProcessId", status.ProcessId)
                    .flag("Exited", status.Exited)
                    .number("ExitCode", status.ExitCode)
                    .number("LastWaitResult", status.LastWaitResult)
                    .json());
}

std::string to_json(const SystemExitStatus& status) {
    return dump(Object().number("Status", status.Status).text("ExitType", status.ExitType).json());
}

std::string statistics_query() {
    return dump(Json{{"PropertyTypes", Json::array({"Statistics"})}});
}

std::string to_json(const ResultError& error) {
    return dump(Object()
                    .number("Error", error.Error)
                    .text("ErrorMessage", error.ErrorMessage)
                    .list("ErrorEvents", error.ErrorEvents, write_event)
                    .json());
}

}  // namespace mullion::hcs
