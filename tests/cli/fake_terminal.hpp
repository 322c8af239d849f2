// A terminal as far as the display uses one, strict: whatever it does not know is an error. Lines wrap, the
// screen scrolls, and what scrolled away is kept.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::test {

class FakeTerminal {
  public:
    FakeTerminal(std::size_t columns, std::size_t rows) : columns_(columns), screen_(rows) {}

    void write(std::string_view bytes) {
        while (!bytes.empty()) bytes.remove_prefix(step(bytes));
    }

    // Everything ever shown that is not overwritten: what scrolled away, then the screen up to the cursor.
    std::vector<std::string> lines() const {
        std::vector<std::string> all = scrolled_;
        for (std::size_t i = 0; i < row_; ++i) all.push_back(trimmed(screen_[i]));
        return all;
    }
    std::vector<std::string> below_cursor() const {
        std::vector<std::string> rest;
        for (std::size_t i = row_; i < screen_.size(); ++i) rest.push_back(trimmed(screen_[i]));
        return rest;
    }
    bool cursor_shown() const { return cursor_shown_; }
    bool at_line_start() const { return column_ == 0; }
    bool wrapped() const { return wrapped_; }

  private:
    static std::string trimmed(std::string line) {
        while (line.ends_with(' ')) line.pop_back();
        return line;
    }

    std::size_t step(std::string_view bytes) {
        if (bytes.front() == '\x1b') return escape(bytes);
        if (bytes.front() == '\r') {
            column_ = 0;
        } else if (bytes.front() == '\n') {
            next_row();
        } else if (static_cast<unsigned char>(bytes.front()) < 0x20) {
            throw std::runtime_error("control character");
        } else if ((static_cast<unsigned char>(bytes.front()) & 0xc0) != 0x80) {  // one column a character
            put(bytes.front());
        }
        return 1;
    }

    std::size_t escape(std::string_view bytes) {
        std::size_t end = bytes.find_first_not_of("0123456789;?", 2);
        std::string parameters(bytes.substr(2, end - 2));
        switch (bytes.at(end)) {
            case 'A': {
                std::size_t up = std::stoul(parameters);
                if (up > row_) throw std::runtime_error("cursor above the screen");
                row_ -= up;
                break;
            }
            case 'K':
                if (column_ < screen_[row_].size()) screen_[row_].resize(column_);
                break;
            case 'J':
                screen_[row_].resize(std::min(column_, screen_[row_].size()));
                for (std::size_t i = row_ + 1; i < screen_.size(); ++i) screen_[i].clear();
                break;
            case 'h':
            case 'l':
                if (parameters != "?25") throw std::runtime_error("mode " + parameters);
                cursor_shown_ = bytes[end] == 'h';
                break;
            default:
                throw std::runtime_error("sequence " + std::string(bytes.substr(1, end)));
        }
        return end + 1;
    }

    void put(char c) {
        if (column_ == columns_) {
            wrapped_ = true;
            column_ = 0;
            next_row();
        }
        std::string& line = screen_[row_];
        if (line.size() <= column_) line.resize(column_ + 1, ' ');
        line[column_++] = c;
    }

    void next_row() {
        if (++row_ < screen_.size()) return;
        scrolled_.push_back(trimmed(screen_.front()));
        screen_.erase(screen_.begin());
        screen_.emplace_back();
        --row_;
    }

    std::size_t columns_;
    std::vector<std::string> screen_;
    std::vector<std::string> scrolled_;
    std::size_t row_ = 0;
    std::size_t column_ = 0;
    bool cursor_shown_ = true;
    bool wrapped_ = false;
};

}  // namespace mullion::test
