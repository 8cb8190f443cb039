#include "record/collect.h"

#include <errno.h>

#include <algorithm>
#include <set>

#include "base/path.h"
#include "base/path_resolver.h"
#include "record/kernel_files.h"
#include "record/own_files.h"
#include "record/preload/record_format.h"
#include "record/process_tree.h"

namespace kache {
namespace {

bool is_missing(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG; }

// The C runtime that every program maps. What a link takes from it, the linker opens, and that is recorded.
bool is_runtime_library(std::string_view path) {
  static constexpr std::string_view kPrefixes[] = {"libc.so",      "ld-linux",   "libdl.so", "libpthread.so",
                                                   "librt.so",     "libgcc_s.so", "ld64.so",  "libutil.so"};
  std::string_view name = base_name(path);
  for (std::string_view prefix : kPrefixes) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

bool is_crate_file(std::string_view name) {
  return name.starts_with("lib") && (name.ends_with(".rlib") || name.ends_with(".rmeta") || name.ends_with(".so"));
}

// The local name services that libc asks about users; they shape no output.
bool is_harmless_connection(std::string_view where) {
  return where == "unix:/var/run/nscd/socket" || where == "unix:/run/nscd/socket" || where == "unix:/dev/log";
}

class Collector {
 public:
  Collector(FileSystem& fs, const CollectContext& context)
      : fs_(fs), context_(context), resolver_(fs), own_(resolver_), tree_(fs, context.program) {
    const CommandLine& line = context.line;
    for (const SearchDir& dir : context.invocation.search_dirs) {
      std::string path = resolver_.real(absolute_path(line.cwd, dir.path));
      if (dir.kind == "dependency") crate_dirs_.insert(path);
      else if (dir.kind == "native" || dir.kind == "framework") native_dirs_.insert(path);
      else library_dirs_.insert(path);
    }
    if (context.invocation.incremental_dir) {
      incremental_ = resolver_.real(absolute_path(line.cwd, *context.invocation.incremental_dir));
    }
    std::string_view rest = line.env.get_or_empty("PATH");
    while (!rest.empty()) {
      size_t colon = rest.find(':');
      path_dirs_.insert(absolute_path(line.cwd, rest.substr(0, colon)));
      rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    }
    for (const std::string& file : context.invocation.argument_files) argument_files_.insert(file);
    for (const std::string& file : context.invocation.updates) updates_.insert(resolver_.place(absolute_path(line.cwd, file)));
    for (const std::string& file : context.toolchain_files) toolchain_dirs_.insert(std::string(dir_name(file)));
  }

  Observed run(const std::vector<RecordEvent>& events) {
    for (const RecordEvent& event : events) take(event);
    refuse(tree_.unwatched());
    finish();
    return std::move(out_);
  }

 private:
  // The first refusal stands.
  void refuse(Refused refused) {
    if (!out_.refused) out_.refused = std::move(refused);
  }
  void refuse(Refusal refusal, std::string_view detail) { refuse({refusal, std::string(detail)}); }

  void take(const RecordEvent& event) {
    bool names_path = event.kind != EventKind::get_env && event.kind != EventKind::connect &&
                      event.kind != EventKind::shell && event.kind != EventKind::symlink &&
                      event.kind != EventKind::bye;
    bool has_path = !event.a.empty() && event.a[0] == '/';
    if (names_path && !event.a.empty() && !has_path) refuse(Refusal::record_incomplete, event.a);
    std::string path = has_path ? behind_kernel(tidy_path(event.a), event) : std::string(event.a);
    switch (event.kind) {
      case EventKind::hello: return hello(path, event);
      case EventKind::bye: return tree_.bye(event.pid);
      case EventKind::open_read: return open_read(path, event);
      case EventKind::open_write: return open_write(path, event);
      case EventKind::stat: return look(path, event);
      case EventKind::read_link: return read_link(path, event);
      case EventKind::real_path: return real_path(path, event);
      case EventKind::list_dir: return list(path, event);
      case EventKind::get_env: return variable(event);
      case EventKind::exec: return exec(path, event);
      case EventKind::spawn:
        if (event.result != 0) {
          if (is_missing(event.result)) missing(path);
          return;
        }
        if (!path.empty()) tree_.spawns(path, static_cast<uint32_t>(event.aux));
        return lookup_program(path);
      case EventKind::map: return map(path, event);
      case EventKind::connect:
        if (!is_harmless_connection(event.a)) refuse(Refusal::network_access, event.a);
        return;
      case EventKind::rename:
      case EventKind::link: return move(path, behind_kernel(tidy_path(event.b), event), event);
      case EventKind::symlink:
        if (event.result == 0) own_.wrote(behind_kernel(tidy_path(event.b), event), false);
        return;
      case EventKind::unlink:
        if (event.result == 0) own_.unlinked(path);
        return;
      case EventKind::make_dir:
        if (event.result == 0) own_.made_dir(path);
        return;
      case EventKind::shell: return tree_.runs_shell(event.pid);
    }
  }

  // --- what is no input -------------------------------------------------------------------------------------------

  // The file's own name, where it was reached through /proc.
  std::string behind_kernel(std::string path, const RecordEvent& event) {
    if (!is_kernel_path(path)) return path;
    std::string behind = behind_kernel_path(path, tree_.cwd_of(event.pid), event.pid);
    if (behind.empty()) return path;
    Result<FileStat> stat = fs_.stat(behind);
    bool same = event.identity.ino == 0 || event.identity.is_symlink() ||
                (stat.ok() && stat->dev == event.identity.dev && stat->ino == event.identity.ino);
    if (!same && event.kind != EventKind::open_write) refuse(Refusal::record_incomplete, path);
    return tidy_path(behind);
  }

  // A file below /proc, /dev or /sys was opened.
  void read_kernel_file(const std::string& path, const RecordEvent& event) {
    if (is_environment_file(path)) variables_.insert(std::string(kWholeEnvironment));
    if (event.identity.is_dir() || is_jobserver(path)) return;
    bool behind_descriptor = event.identity.is_regular() && !is_on_kernel_device(event.identity);
    bool is_pipe = !event.identity.is_regular() && in_descriptors(path);
    if (behind_descriptor ? base_name(path) != "exe" : is_pipe || !is_harmless_kernel_file(path)) {
      refuse(Refusal::input_unreadable, path);
    }
  }

  // What such a name leads to is known only by its number.
  static bool in_descriptors(std::string_view path) {
    return base_name(dir_name(path)) == "fd" || path == "/dev/stdin";
  }

  bool is_on_kernel_device(const FileStat& identity) {
    for (const char* root : {"/proc", "/dev", "/sys"}) {
      Result<FileStat> stat = fs_.stat(root);
      if (stat.ok() && stat->dev == identity.dev) return true;
    }
    return identity.size == 0;  // cgroups and their like have file systems of their own
  }

  bool is_incremental(const std::string& path) {
    return !incremental_.empty() && is_below(resolver_.place(path), incremental_);
  }

  bool ignored(const std::string& path) {
    if (path.empty() || is_kernel_path(path) || is_incremental(path)) return true;
    return is_below(path, "/etc/ld.so.cache") || context_.toolchain_files.count(path) != 0 || path == context_.recorder ||
           argument_files_.count(path) != 0;
  }

  // rustc finds crates there by their exact hash; which of the others exist does not matter, only what it opens.
  bool is_other_crate(const std::string& path) {
    return is_crate_file(base_name(path)) && crate_dirs_.count(resolver_.real(dir_name(path))) != 0;
  }

  // --- reads ------------------------------------------------------------------------------------------------------

  void question(InputKind kind, const std::string& path, const RecordEvent* event = nullptr) {
    if (!asked_.emplace(kind, path).second) return;
    Question question;
    question.input.kind = kind;
    question.input.path.rest = path;
    if (event) {
      question.identity = event->identity;
      question.clock_ns = event->clock_ns;
      question.text = event->b;
    }
    out_.questions.push_back(std::move(question));
  }

  void read(const std::string& path, const RecordEvent& event) {
    if (is_kernel_path(path)) return read_kernel_file(path, event);
    if (ignored(path) || own_.is_own(path)) return;
    if (event.identity.is_dir()) return present(path, &event);
    if (!event.identity.is_regular()) {
      if (!is_jobserver(path)) refuse(Refusal::input_unreadable, path);
      return;
    }
    if (!files_.insert(path).second) return;
    out_.files.push_back({path, event.identity, event.clock_ns});
  }

  // "--jobserver-auth=fifo:/path", or "--jobserver-auth=6,7", which rustc opens as /dev/fd/6.
  bool is_jobserver(const std::string& path) const {
    std::string number(base_name(path));
    for (std::string_view name : {"MAKEFLAGS", "CARGO_MAKEFLAGS", "MFLAGS"}) {
      std::string words = " " + std::string(context_.line.env.get_or_empty(name)) + " ";
      if (words.find("=fifo:" + path + " ") != std::string::npos) return true;
      bool is_one = words.find("=" + number + ",") != std::string::npos || words.find("," + number + " ") != std::string::npos;
      if (in_descriptors(path) && is_one) return true;
    }
    return false;
  }

  void missing(const std::string& path) {
    if (path_dirs_.count(std::string(dir_name(path)))) return question(InputKind::program, std::string(base_name(path)));
    question(InputKind::absent, path);
  }

  // A call that failed: the absence is an input; any other failure makes the record worthless.
  void failed(const std::string& path, const RecordEvent& event) {
    if (ignored(path) || own_.is_own(path) || is_other_crate(path)) return;
    if (is_missing(event.result)) missing(path);
    else refuse(Refusal::input_unreadable, path);
  }

  void open_read(const std::string& path, const RecordEvent& event) {
    if (event.result != 0) return failed(path, event);
    read(path, event);
  }

  void look(const std::string& path, const RecordEvent& event) {
    if (event.result != 0) {
      // access() says EACCES of a file that is there without the asked permission.
      if (event.result == EACCES && event.aux != 0) return present(path, nullptr);
      return failed(path, event);
    }
    if ((event.flags & KACHE_REC_NOFOLLOW) && event.identity.is_symlink()) {
      if (!ignored(path) && !own_.is_own(path)) question(InputKind::link, path);
      return;
    }
    present(path, &event);
    if (event.identity.is_regular() && event.identity.is_executable()) lookup_program(path);
  }

  // That a directory of the toolchain is there says its identity, which has the names of what lies in it. Elsewhere the same
  // toolchain lies at another place.
  void present(const std::string& path, const RecordEvent* event) {
    if (ignored(path) || own_.is_own(path) || is_other_crate(path) || toolchain_dirs_.count(path)) return;
    question(InputKind::presence, path, event);
  }

  void read_link(const std::string& path, const RecordEvent& event) {
    if (event.result == EINVAL) return present(path, nullptr);
    if (event.result != 0) return failed(path, event);
    if (!ignored(path) && !own_.is_own(path)) question(InputKind::link, path, &event);
  }

  void real_path(const std::string& path, const RecordEvent& event) {
    if (event.result != 0) return failed(path, event);
    if (ignored(path) || own_.is_own(path) || is_beside_compiler(path, event.b)) return;
    if (event.b == path) return present(path, nullptr);
    question(InputKind::real_path, path, &event);
  }

  // rustc asks where its driver lies, as "<sysroot>/bin/../lib/…". Where the compiler lies, and what the driver is, says the
  // identity of the toolchain; there is no other link on the way.
  bool is_beside_compiler(const std::string& path, std::string_view real) {
    if (context_.toolchain_files.count(std::string(real)) == 0) return false;
    std::string bin(dir_name(resolver_.real(context_.program)));
    std::string_view sysroot = dir_name(bin);
    return is_below(real, sysroot) && path == bin + "/.." + std::string(real.substr(sysroot.size()));
  }

  void list(const std::string& path, const RecordEvent& event) {
    if (event.result != 0) return failed(path, event);
    std::string dir = resolver_.real(path);
    if (ignored(path) || own_.is_own(path) || crate_dirs_.count(dir) || toolchain_dirs_.count(dir)) return;
    bool is_search_dir = native_dirs_.count(dir) || library_dirs_.count(dir);
    if (is_search_dir) search_listings_.emplace_back(path, &event);
    else question(InputKind::listing, path, &event);
  }

  // rustc lists every -L directory when it starts, and looks for names of libraries in it. A proc macro that lists the
  // same directory asks for all names, and its question looks the same.
  void finish_listings() {
    for (const auto& [path, event] : search_listings_) {
      bool is_native = native_dirs_.count(resolver_.real(path));
      if (has_proc_macro_) question(InputKind::listing, path, event);
      else if (!is_native) question(InputKind::libraries, path, event);
    }
  }

  void map(const std::string& path, const RecordEvent& event) {
    if (is_runtime_library(path) || path == context_.recorder) return;
    if (context_.toolchain_files.count(resolver_.real(path))) return;  // "<sysroot>/bin/../lib/librustc_driver.so"
    has_proc_macro_ |= tree_.is_compiler(event.pid) && is_crate_file(base_name(path));
    read(path, event);
  }

  void variable(const RecordEvent& event) {
    // A value that differs from ours was set inside the tree, by a program that had its own reasons on record.
    const char* ours = context_.line.env.get(event.a);
    bool same = event.result == 0 ? ours && event.b == ours : ours == nullptr;
    if (!same) return;
    bool by_compiler = tree_.is_compiler(event.pid);
    bool is_rustc = context_.invocation.family == Family::rustc;
    bool is_tool = by_compiler ? !is_rustc : is_toolchain_program(tree_.program_of(event.pid));
    bool for_people = by_compiler && !context_.invocation.json_errors;
    std::string name(event.a);
    if (is_harmless_question(name, is_tool || for_people)) harmless_.insert(std::move(name));
    else if (is_tool && is_locale_variable(name)) locale_.insert(std::move(name));
    else variables_.insert(std::move(name));
  }

  // --- programs ---------------------------------------------------------------------------------------------------

  void lookup_program(const std::string& path) {
    if (path_dirs_.count(std::string(dir_name(path)))) question(InputKind::program, std::string(base_name(path)));
  }

  void program(const std::string& path, const RecordEvent& event) {
    if (path.empty()) return;
    out_.programs.push_back(path);
    if (event.identity.ino != 0) read(path, event);
  }

  void hello(const std::string& path, const RecordEvent& event) {
    refuse(tree_.hello(path, event));
    if (is_interpreter(path)) variables_.insert(std::string(kWholeEnvironment));
    program(path, event);
  }

  void exec(const std::string& path, const RecordEvent& event) {
    if (event.result == 0) {
      tree_.executes(path, event);
      lookup_program(path);
      if (event.identity.ino != 0) read(path, event);
      return;
    }
    tree_.fails_to_execute(path, event.pid);
    if (!is_kernel_path(path) && is_missing(event.result)) missing(path);
  }

  // --- writes -----------------------------------------------------------------------------------------------------

  void open_write(const std::string& path, const RecordEvent& event) {
    if (is_kernel_path(path)) return;
    if (event.result != 0) {
      if (!(event.flags & KACHE_REC_CREATE) && is_missing(event.result)) failed(path, event);
      return;
    }
    bool keeps_old = event.identity.ino != 0 && event.identity.size > 0 && !(event.flags & KACHE_REC_TRUNCATE);
    // What an archive held before was asked before the tool ran.
    if (keeps_old && !own_.is_own(path) && !is_incremental(path) && !updates_.count(resolver_.place(path))) refuse(Refusal::unknown_write, path);
    own_.wrote(path, event.flags & KACHE_REC_TEMPORARY);
  }

  void move(const std::string& from, const std::string& to, const RecordEvent& event) {
    if (event.result != 0) return;
    bool is_rename = event.kind == EventKind::rename;
    if (!own_.is_own(from) && !is_incremental(from) && (is_rename || files_.count(from))) {
      refuse(Refusal::unknown_write, from);
    }
    if (is_rename) own_.moved(from, to);
    else own_.wrote(to, false);
  }

  void finish() {
    for (const auto& [path, temporary] : own_.alive()) {
      if (is_kernel_path(path) || is_incremental(path)) continue;
      out_.written.push_back({path, temporary || context_.roots.map(path).root.kind == RootKind::temp});
    }
    // Of a file that the unit wrote in the end, what was there before is no input. (lld opens its old output before it
    // replaces it.) Of a file that was read, that it is there needs no saying.
    std::erase_if(out_.files, [&](const ReadFile& file) { return own_.was_written(file.path); });
    finish_listings();
    std::erase_if(out_.questions, [&](const Question& question) {
      const Input& input = question.input;
      if (input.kind == InputKind::program) return false;
      if (own_.is_own(input.path.rest)) return true;
      return input.kind == InputKind::presence && files_.count(input.path.rest);
    });
    out_.variables.assign(variables_.begin(), variables_.end());
    out_.harmless.assign(harmless_.begin(), harmless_.end());
    out_.locale.assign(locale_.begin(), locale_.end());
    std::sort(out_.programs.begin(), out_.programs.end());
    out_.programs.erase(std::unique(out_.programs.begin(), out_.programs.end()), out_.programs.end());
  }

  FileSystem& fs_;
  const CollectContext& context_;
  PathResolver resolver_;
  OwnFiles own_;
  ProcessTree tree_;
  Observed out_;

  // Real paths.
  std::set<std::string> crate_dirs_, native_dirs_, library_dirs_, path_dirs_;
  std::unordered_set<std::string> toolchain_dirs_;
  std::unordered_set<std::string> argument_files_, updates_;
  std::string incremental_;

  std::unordered_set<std::string> files_;               // read
  std::set<std::pair<InputKind, std::string>> asked_;
  std::set<std::string> variables_, harmless_, locale_;
  std::vector<std::pair<std::string, const RecordEvent*>> search_listings_;  // of -L directories
  bool has_proc_macro_ = false;
};

}  // namespace

Observed collect_inputs(FileSystem& fs, const std::vector<RecordEvent>& events, const CollectContext& context) {
  return Collector(fs, context).run(events);
}

}  // namespace kache
