#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/fields.hpp"
#include "hcs/guest/cmd/paths.hpp"
#include "hcs/guest/cmd/shell.hpp"

namespace mullion::cmd {

// Values of a loop's variables, as long as it lives.
class LoopScope {
  public:
    LoopScope(Shell& shell, wchar_t first, std::vector<Text> values)
        : shell_(shell), size_(shell.loop_variables_.size()) {
        for (Text& value : values) shell_.loop_variables_.push_back({first++, std::move(value)});
    }
    ~LoopScope() { shell_.loop_variables_.resize(size_); }
    LoopScope(const LoopScope&) = delete;
    LoopScope& operator=(const LoopScope&) = delete;

  private:
    Shell& shell_;
    std::size_t size_;
};

int Shell::run_for(const Command& command) {
    Text set = expanded(command.loop.set);
    switch (command.loop.kind) {
        case Loop::Kind::Words:
        case Loop::Kind::Directories:
            return for_words(command, set);
        case Loop::Kind::Tree:
            return for_tree(command, set);
        case Loop::Kind::Numbers:
            return for_numbers(command, set);
        case Loop::Kind::Fields:
            return for_fields(command, set);
    }
    return 1;
}

int Shell::for_body(const Command& command, Text value) {
    std::vector<Text> values;
    values.push_back(std::move(value));
    return for_body(command, std::move(values));
}

int Shell::for_body(const Command& command, std::vector<Text> values) {
    LoopScope scope(*this, command.loop.variable, std::move(values));
    if (echo && !command.first->silent) show(*command.first);
    return run(*command.first);
}

int Shell::for_words_in(const Command& command, const Text& directory, const std::vector<Text>& set) {
    bool directories = command.loop.directories;
    int code = 0;
    for (const Text& word : set) {
        Text path = unquoted(word);
        if (!has_wildcard(path)) {
            code = for_body(command, directory.empty() ? word : joined(directory, path));
            continue;
        }
        Text place = joined(directory, directory_of(path));
        for (const Entry& entry : entries(joined(directory, path))) {
            if (entry.is_directory() != directories) continue;
            if (!directories && (entry.attributes & FILE_ATTRIBUTE_HIDDEN)) continue;
            code = for_body(command, place.empty() ? entry.name : joined(place, entry.name));
        }
    }
    return code;
}

int Shell::for_words(const Command& command, View set) {
    return for_words_in(command, L"", words(set));
}

int Shell::for_tree(const Command& command, View set) {
    std::vector<Text> patterns = words(set);
    Text root = unquoted(expanded(command.loop.options));
    std::vector<Text> pending = {root.empty() ? current_directory() : full_path(root)};
    if (!is_directory(pending[0])) return 0;
    int code = 0;
    while (!pending.empty()) {
        Text directory = std::move(pending.back());
        pending.pop_back();
        code = for_words_in(command, directory, patterns);
        std::vector<Entry> found = entries(joined(directory, L"*"));
        for (auto each = found.rbegin(); each != found.rend(); ++each) {
            bool real = each->is_directory() && !(each->attributes & FILE_ATTRIBUTE_REPARSE_POINT);
            if (real) pending.push_back(joined(directory, each->name));
        }
    }
    return code;
}

int Shell::for_numbers(const Command& command, View set) {
    std::int64_t numbers[3] = {};
    std::size_t count = 0;
    for (const Text& word : words(set)) {
        if (count == 3) fail_unexpected(word);
        numbers[count++] = number(word).value_or(0);
    }
    auto [at, step, end] = numbers;
    int code = 0;
    for (; step >= 0 ? at <= end : at >= end; at += step) code = for_body(command, decimal(at));
    return code;
}

std::string Shell::output_of(View command) {
    auto [read, write] = make_pipe();
    HANDLE saved = std::exchange(handles_[1], write.get());
    Handle process(start(own_path(), own_path() + L" /C " + Text(command), 0));
    DWORD error = GetLastError();
    handles_[1] = saved;
    write.close();
    if (!process) throw Failure{error_text(error)};
    std::string bytes = read_all(read.get());
    wait_for(process.get());
    return bytes;
}

namespace {

// What the set of FOR /F is.
struct Source {
    enum class Kind { Files, String, Command } kind = Kind::Files;
    Text text;
};

Source source_of(View set, bool back_quotes) {
    while (!set.empty() && is_delimiter(set.front())) set.remove_prefix(1);
    while (!set.empty() && is_delimiter(set.back())) set.remove_suffix(1);
    auto within = [&](wchar_t quote) {
        return set.size() > 1 && set.front() == quote && set.back() == quote;
    };
    View inner = set.size() > 1 ? set.substr(1, set.size() - 2) : View();
    if (within(back_quotes ? L'`' : L'\'')) return {Source::Kind::Command, Text(inner)};
    if (within(back_quotes ? L'\'' : L'"')) return {Source::Kind::String, Text(inner)};
    return {Source::Kind::Files, Text(set)};
}

std::vector<Text> lines_of(View text) {
    std::vector<Text> lines;
    while (!text.empty()) {
        std::size_t end = std::min(text.find(L'\n'), text.size());
        View line = text.substr(0, end);
        while (!line.empty() && line.back() == L'\r') line.remove_suffix(1);
        lines.emplace_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::optional<Text> file_text(const Text& path) {
    Handle file = open_to_read(path);
    return file ? std::optional(decoded(read_all(file.get()))) : std::nullopt;
}

}  // namespace

int Shell::for_fields(const Command& command, View set) {
    FieldOptions options = parse_field_options(without_outer_quotes(command.loop.options));
    Source source = source_of(set, options.use_back_quotes);
    std::vector<Text> texts;
    if (source.kind == Source::Kind::Command) texts.push_back(decoded(output_of(source.text)));
    if (source.kind == Source::Kind::String) texts.push_back(source.text);
    if (source.kind == Source::Kind::Files) {
        for (const Text& word : words(source.text)) {
            std::optional<Text> text = file_text(unquoted(word));
            if (!text)
                return error_level = complain(L"The system cannot find the file " + unquoted(word) + L".");
            texts.push_back(std::move(*text));
        }
    }
    int code = 0;
    for (const Text& text : texts) {
        int number = 0;
        for (const Text& line : lines_of(text)) {
            if (number++ < options.skip) continue;
            if (auto fields = fields_of(line, options)) code = for_body(command, std::move(*fields));
        }
    }
    return code;
}

}  // namespace mullion::cmd
