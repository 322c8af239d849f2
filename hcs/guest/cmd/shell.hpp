// The interpreter: what it remembers between commands, and how it runs them.
//
// A command answers with a code, which && and || look at; ERRORLEVEL is another thing, that only some
// commands change. What ends more than one command is thrown: Exit ends the interpreter, Abort everything
// that runs, LeaveScript and Jump what is said of them.
#pragma once

#include <windows.h>

#include <array>
#include <memory>

#include "hcs/guest/cmd/expand.hpp"
#include "hcs/guest/cmd/parser.hpp"

namespace mullion::cmd {

struct Exit {
    int code;
};
struct Abort {  // nothing of the line and of the scripts around it goes on
    int code;
};
struct LeaveScript {
    int code;
};
struct Jump {};  // the script goes on elsewhere

struct Builtin;

// A program or script a command names.
struct Program {
    Text path;
    bool is_script = false;
};

class Shell : public Scope, public LineSource {
  public:
    Shell();

    // A line of the command line; the code of its last command. Reports mistakes in it and throws Exit.
    int run_line(const Text& line);
    void run_interactively();

    int run(const Command& command);

    // Standard output, standard error: in the console's code page.
    void out(View text);
    void err(View text);
    int complain(View text, int code = 1);  // with a line end, on standard error; returns `code`
    int complain_of(DWORD error, int code = 1);
    HANDLE handle(int number) const { return handles_[static_cast<std::size_t>(number)]; }

    // Variables; set() with nullopt removes one.
    std::optional<Text> variable(View name) const override;
    void set(View name, const std::optional<Text>& value);

    bool in_script() const override { return !frames_.empty(); }
    Text argument(std::size_t index) const override;
    Text path_argument(std::size_t index) const override;
    Text all_arguments() const override;
    const Text* loop_variable(wchar_t name) const override;
    Text path_part(View value, View modifiers, View search) const override;

    // For the builtin commands.
    int call(View arguments);
    int go_to(View label);
    int shift(std::size_t from);
    int begin_local(View arguments);
    int end_local();
    Text prompt() const;
    std::optional<Program> find_program(View name) const;
    // Starts it with our standard handles (the command line names it if `program` is ""); 0 if that fails
    // (GetLastError). start_program() opens documents by their type too.
    HANDLE start(const Text& program, Text command_line, DWORD flags, const wchar_t* directory = nullptr);
    HANDLE start_program(const Text& path, const Text& command_line, View arguments, DWORD flags,
                         const wchar_t* directory = nullptr);
    static int wait_for(HANDLE process);
    Text own_path() const;
    bool change_directory(const Text& path);  // GetLastError

    int error_level = 0;
    bool echo = true;
    bool delayed_expansion = false;
    bool extensions = true;
    bool unicode_output = false;
    bool verify = false;
    Text command_line;
    std::vector<Text> directory_stack;

  private:
    struct Script {
        Text path;
        std::string bytes;
        bool is_cmd = false;  // not .bat
    };
    struct Local {
        std::vector<Text> environment;
        Text directory;
        bool delayed_expansion, extensions;
    };
    struct Frame {
        std::shared_ptr<const Script> script;
        std::size_t at = 0;
        Text name;  // as called
        std::vector<Text> arguments;
        Text all;
        std::vector<Local> locals;
    };
    struct LoopVariable {
        wchar_t name;
        Text value;
    };
    friend class Redirected;
    friend class LoopScope;

    std::optional<Text> next_line() override;
    std::optional<Text> next_raw_line();
    int run_frame(Frame frame);
    int run_script(const Text& path, const Text& name, View arguments, bool returns);
    int call_label(const Text& label, View arguments);
    bool seek_label(View label);
    void restore(const Local& local);
    void show(const Command& command);

    int run_items(const Command& command);
    int run_or(const Command& command);
    int run_pipe(const Command& command);
    int run_if(const Command& command);
    int run_for(const Command& command);
    int run_simple(const Command& command);
    int run_named(const Text& name, const Text& arguments, bool called);
    int run_builtin(const Builtin& builtin, View arguments, bool called);
    int run_program(const Text& name, const Text& arguments, bool called);
    HANDLE start_stage(const Command& command, HANDLE in, HANDLE out);
    bool holds(const Condition& condition);
    bool exists_for_if(View path) const;

    int for_words(const Command& command, View set);
    int for_tree(const Command& command, View set);
    int for_numbers(const Command& command, View set);
    int for_fields(const Command& command, View set);
    int for_body(const Command& command, Text value);
    int for_body(const Command& command, std::vector<Text> values);
    int for_words_in(const Command& command, const Text& directory, const std::vector<Text>& set);
    std::string output_of(View command);

    Text expanded(View text) const;
    void check_stack() const;
    void complain_of_unknown(View name);

    std::array<HANDLE, 10> handles_{};
    std::vector<std::unique_ptr<Frame>> frames_;
    std::vector<LoopVariable> loop_variables_;
    DWORD write_error_ = 0;  // of what the running builtin printed
};

// Redirections, as long as it lives.
class Redirected {
  public:
    Redirected(Shell& shell, const std::vector<Redirection>& redirections);
    ~Redirected();
    Redirected(const Redirected&) = delete;
    Redirected& operator=(const Redirected&) = delete;
    bool failed() const { return failed_; }  // and the user knows

  private:
    HANDLE open(const Redirection& redirection, const Text& target);

    Shell& shell_;
    std::array<HANDLE, 10> saved_;
    std::vector<HANDLE> opened_;
    bool failed_ = false;
};

}  // namespace mullion::cmd
