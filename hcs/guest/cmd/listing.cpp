// DIR.
#include <algorithm>

#include "hcs/guest/cmd/attributes.hpp"
#include "hcs/guest/cmd/builtins.hpp"
#include "hcs/guest/cmd/clock.hpp"
#include "hcs/guest/cmd/console.hpp"
#include "hcs/guest/cmd/paths.hpp"

namespace mullion::cmd::builtin {
namespace {

Text with_commas(std::uint64_t value) {
    Text digits = std::to_wstring(value);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, L',');
    return digits;
}

Text right_aligned(const Text& text, std::size_t width) {
    return text.size() < width ? Text(width - text.size(), L' ') + text : text;
}

int order_of(const Entry& a, const Entry& b, wchar_t key) {
    auto text = [](const Text& x, const Text& y) { return lstrcmpiW(x.c_str(), y.c_str()); };
    switch (key) {
        case L'N':
            return text(a.name, b.name);
        case L'E':
            return text(extension_of(a.name), extension_of(b.name));
        case L'S':
            return a.size < b.size ? -1 : a.size > b.size;
        case L'D':
            return CompareFileTime(&a.written, &b.written);
        default:
            return static_cast<int>(b.is_directory()) - static_cast<int>(a.is_directory());
    }
}

// "/o:-dn": false if a key is unknown.
bool sort_entries(std::vector<Entry>& entries, View keys) {
    if (keys.starts_with(L":")) keys.remove_prefix(1);
    if (keys.empty()) keys = L"GN";
    for (wchar_t c : keys)
        if (View(L"NESDG-").find(upper(c)) == View::npos) return false;
    std::stable_sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) {
        bool negated = false;
        for (wchar_t c : keys) {
            if (c == L'-') {
                negated = true;
                continue;
            }
            if (int order = order_of(a, b, upper(c))) return negated ? order > 0 : order < 0;
            negated = false;
        }
        return false;
    });
    return true;
}

class Listing {
  public:
    Listing(Shell& shell, const Switches& switches) : shell_(shell), switches_(switches) {}

    // false after a complaint.
    bool prepare() {
        if (switches_.has(L'A')) {
            std::optional<WantedAttributes> wanted = parse_attributes(switches_.value(L'A'));
            if (!wanted) return complain_of_format(L'A');
            wanted_ = *wanted;
        }
        std::vector<Entry> none;
        if (switches_.has(L'O') && !sort_entries(none, switches_.value(L'O')))
            return complain_of_format(L'O');
        if (switches_.has(L'T')) {
            View field = switches_.value(L'T');
            time_ = field.empty() ? L'W' : upper(field.back());
            if (View(L"CAW").find(time_) == View::npos) return complain_of_format(L'T');
        }
        return true;
    }

    int list(const Text& operand) {
        Text path = full_path(operand.empty() ? Text(L".") : operand);
        bool whole = is_directory(path);
        Text directory = whole ? path : directory_of(path);
        if (directory.size() > 3 && directory.back() == L'\\') directory.pop_back();
        if (!bare()) header(path);
        if (!is_directory(directory))
            return shell_.complain(bare() ? error_text(ERROR_FILE_NOT_FOUND)
                                          : error_text(ERROR_PATH_NOT_FOUND));
        list_directory(spelled(directory), whole ? L"*" : name_of(path));
        shell_.out(text_);
        if (found_ == 0 && !whole) return shell_.complain(L"File Not Found");
        if (found_ == 0 && bare()) return shell_.complain(L"File Not Found");
        if (!bare()) summary(directory);
        return 0;
    }

  private:
    bool bare() const { return switches_.has(L'B'); }
    bool recursive() const { return switches_.has(L'S'); }

    bool complain_of_format(wchar_t letter) {
        complain_of_value(shell_, switches_.value(letter));
        return false;
    }

    void header(const Text& path) { vol(shell_, path.substr(0, 2)); }

    void list_directory(const Text& directory, const Text& pattern) {
        std::vector<Entry> found = entries(joined(directory, pattern));
        std::erase_if(found, [&](const Entry& entry) { return !wanted_.match(entry.attributes); });
        if (switches_.has(L'O')) sort_entries(found, switches_.value(L'O'));
        bool dots =
            !bare() && pattern == L"*" && directory.size() > 3 && wanted_.match(FILE_ATTRIBUTE_DIRECTORY);
        if (!found.empty() || dots) list_entries(directory, found, dots);
        found_ += found.size();
        if (!recursive()) return;
        for (const Entry& entry : entries(joined(directory, L"*"))) {
            bool real = entry.is_directory() && !(entry.attributes & FILE_ATTRIBUTE_REPARSE_POINT);
            if (real) list_directory(joined(directory, entry.name), pattern);
        }
    }

    void list_entries(const Text& directory, const std::vector<Entry>& found, bool dots) {
        std::uint64_t bytes = 0, files = 0, directories = dots ? 2 : 0;
        if (!bare()) text_ += L"\r\n Directory of " + directory + L"\r\n\r\n";
        if (dots) {
            Entry self;
            self.attributes = FILE_ATTRIBUTE_DIRECTORY;
            WIN32_FILE_ATTRIBUTE_DATA data{};
            GetFileAttributesExW(directory.c_str(), GetFileExInfoStandard, &data);
            self.written = self.created = self.read = data.ftLastWriteTime;
            for (const wchar_t* name : {L".", L".."}) {
                self.name = name;
                line(directory, self);
            }
        }
        for (const Entry& entry : found) {
            line(directory, entry);
            (entry.is_directory() ? directories : files) += 1;
            if (!entry.is_directory()) bytes += entry.size;
        }
        if (!bare())
            text_ += count(files, L" File(s) ") + right_aligned(with_commas(bytes), 14) + L" bytes\r\n";
        files_ += files;
        bytes_ += bytes;
        directories_ += directories;
    }

    void line(const Text& directory, const Entry& entry) {
        Text name = switches_.has(L'L') ? lower_case(entry.name) : entry.name;
        if (bare()) {
            text_ += (recursive() ? joined(directory, name) : name) + L"\r\n";
            return;
        }
        const FILETIME& time = time_ == L'C' ? entry.created : time_ == L'A' ? entry.read : entry.written;
        text_ += listing_stamp(time) +
                 (entry.is_directory() ? Text(L"    <DIR>          ")
                                       : right_aligned(with_commas(entry.size), 18) + L" ") +
                 name + L"\r\n";
    }

    static Text lower_case(Text name) {
        for (wchar_t& c : name)
            if (c >= L'A' && c <= L'Z') c = static_cast<wchar_t>(c + 32);
        return name;
    }

    static Text count(std::uint64_t number, View what) {
        return right_aligned(with_commas(number), 16).append(what);
    }

    void summary(const Text& directory) {
        ULARGE_INTEGER free{};
        GetDiskFreeSpaceExW(directory.c_str(), &free, nullptr, nullptr);
        Text text;
        if (recursive()) {
            text += L"\r\n     Total Files Listed:\r\n" + count(files_, L" File(s) ") +
                    right_aligned(with_commas(bytes_), 14) + L" bytes\r\n";
        }
        shell_.out(text + count(directories_, L" Dir(s) ") + right_aligned(with_commas(free.QuadPart), 15) +
                   L" bytes free\r\n");
    }

    Shell& shell_;
    const Switches& switches_;
    WantedAttributes wanted_;
    wchar_t time_ = L'W';
    Text text_;
    std::uint64_t found_ = 0, files_ = 0, directories_ = 0, bytes_ = 0;
};

}  // namespace

int dir(Shell& shell, View arguments) {
    // Columns, pages and owners are not built: refused, not left out.
    std::optional<Words> given = parse_words(shell, arguments, L"ABCLNOST4");
    if (!given) return 1;
    if (given->operands.empty()) given->operands.emplace_back();
    int code = 1;
    for (const Text& operand : given->operands) {
        Listing listing(shell, given->switches);
        if (!listing.prepare()) return 1;
        code = std::min(code, listing.list(operand));
    }
    return code;
}

}  // namespace mullion::cmd::builtin
