#include "key/roots.h"

#include <algorithm>

#include "base/path.h"
#include "base/path_resolver.h"
#include "base/utf8.h"
#include "key/project.h"

namespace kache {
namespace {

// "/" is no root: everything is below it.
void add(std::vector<Root>& roots, PathResolver& resolver, RootKind kind, uint8_t index, std::string_view path,
         std::string remap_to) {
  if (!is_absolute(path)) return;
  std::string tidy = tidy_path(path);
  if (tidy == "/") return;
  std::string real = resolver.real(tidy);
  // rustc takes arguments as text and dies of any other; such a place is not remapped and stays literal.
  if (!is_utf8(tidy) || !is_utf8(real)) return;
  roots.push_back({{kind, index}, std::move(tidy), std::move(real), std::move(remap_to)});
}

// "x86_64-unknown-linux-musl", or the stem of a target description in JSON.
std::string_view target_dir_name(std::string_view target) {
  std::string_view name = base_name(target);
  return name.ends_with(".json") ? name.substr(0, name.size() - 5) : name;
}

}  // namespace

std::string target_dir_of(std::string_view out_dir, std::string_view target) {
  // <target>[/<triple>]/<profile>/{deps,examples} or …/<profile>/build/<package>
  std::string_view profile;
  std::string_view last = base_name(out_dir);
  if (last == "deps" || last == "examples") profile = dir_name(out_dir);
  else if (base_name(dir_name(out_dir)) == "build") profile = dir_name(dir_name(out_dir));
  else return std::string(out_dir);
  std::string_view parent = dir_name(profile);
  if (!target.empty() && base_name(parent) == target_dir_name(target)) parent = dir_name(parent);
  return parent.size() > 1 ? std::string(parent) : std::string(out_dir);
}

namespace {

std::string_view temp_dir(const Env& env) {
  std::string_view temp = env.get_or_empty("TMPDIR");
  return temp.empty() ? "/tmp" : temp;
}

std::string cargo_home_dir(const Env& env) {
  std::string_view given = env.get_or_empty("CARGO_HOME"), home = env.get_or_empty("HOME");
  if (!given.empty()) return std::string(given);
  return home.empty() ? "" : join_path(home, ".cargo");
}

void add_user_roots(std::vector<Root>& roots, PathResolver& resolver, const Env& env, const Config& config) {
  add(roots, resolver, RootKind::base, 0, config.base_dir, "/kache/base-dir");
  add(roots, resolver, RootKind::cargo_home, 0, cargo_home_dir(env), "/kache/.cargo");
  for (size_t i = 0; i < config.base_dirs.size() && i < 255; ++i) {
    add(roots, resolver, RootKind::configured, static_cast<uint8_t>(i), config.base_dirs[i],
        "/kache/base-dir-" + std::to_string(i));
  }
}

// The working directory as the shell calls it, where that is the same place: gcc and clang write it so.
std::string spelled_cwd(FileSystem& fs, const CommandLine& line) {
  std::string_view pwd = line.env.get_or_empty("PWD");
  if (!is_absolute(pwd) || pwd == line.cwd) return line.cwd;
  Result<FileStat> spelled = fs.stat(std::string(pwd)), real = fs.stat(line.cwd);
  bool same = spelled.ok() && real.ok() && spelled->dev == real->dev && spelled->ino == real->ino;
  return same ? tidy_path(pwd) : line.cwd;
}

// A place inside the project is part of it: the two compilers do not agree on which of two rules for one path counts.
Roots find_cc_roots(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Config& config) {
  const Env& env = line.env;
  PathResolver resolver(fs);
  std::vector<Root> roots;
  std::string cwd = spelled_cwd(fs, line);
  std::string home(env.get_or_empty("HOME")), temp(temp_dir(env));
  add(roots, resolver, RootKind::temp, 0, temp, "/kache/tmp");
  add(roots, resolver, RootKind::home, 0, home, "/kache/home");
  for (Root& root : roots) root.is_whole = false;

  std::string source = absolute_path(cwd, invocation.source);
  std::vector<std::string> limits;
  for (const std::string& limit : {home, temp, cargo_home_dir(env)}) {
    if (is_absolute(limit)) limits.push_back(tidy_path(limit));
  }
  std::string project = find_project(fs, cwd, std::string(dir_name(source)), limits);
  add(roots, resolver, RootKind::project, 0, project, "/proc/self/cwd");
  if (!is_below(cwd, project)) {
    std::string relative = relative_path(project, cwd);
    add(roots, resolver, RootKind::workspace, 0, cwd, relative.empty() ? "/kache/build" : "/proc/self/cwd/" + relative);
  }
  // A build script of cargo's compiles into a target directory that may be anywhere.
  std::string_view out_dir = env.get_or_empty("OUT_DIR");
  if (is_absolute(out_dir) && !is_below(out_dir, project) && env.has("CARGO_MANIFEST_DIR")) {
    add(roots, resolver, RootKind::target, 0, target_dir_of(dir_name(tidy_path(out_dir)), env.get_or_empty("TARGET")), "/kache/target");
  }
  add_user_roots(roots, resolver, env, config);
  return Roots(std::move(roots));
}

}  // namespace

Roots find_roots(FileSystem& fs, const CommandLine& line, const Invocation& invocation, const Config& config) {
  if (invocation.family != Family::rustc) return find_cc_roots(fs, line, invocation, config);
  const Env& env = line.env;
  PathResolver resolver(fs);
  std::vector<Root> roots;
  add(roots, resolver, RootKind::temp, 0, temp_dir(env), "/kache/tmp");
  add(roots, resolver, RootKind::home, 0, env.get_or_empty("HOME"), "/kache/home");

  std::string target;
  if (!invocation.out_dir.empty()) {
    target = target_dir_of(absolute_path(line.cwd, invocation.out_dir), invocation.target);
  }
  // /proc/self/cwd: a debugger started in the workspace finds the sources there.
  bool target_inside = is_below(target, line.cwd);
  if (!target_inside) add(roots, resolver, RootKind::target, 0, target, "/kache/target");
  add(roots, resolver, RootKind::workspace, 0, line.cwd, "/proc/self/cwd");
  if (target_inside) add(roots, resolver, RootKind::target, 0, target, "/kache/target");

  add_user_roots(roots, resolver, env, config);
  return Roots(std::move(roots));
}

const Root* Roots::match(std::string_view path, std::string_view* rest) const {
  for (auto root = roots_.rbegin(); root != roots_.rend(); ++root) {
    for (const std::string* prefix : {&root->path, &root->real}) {
      if (is_below(path, *prefix)) {
        *rest = relative_to(path, *prefix);
        return &*root;
      }
    }
  }
  return nullptr;
}

RootedPath Roots::map(std::string_view path) const {
  std::string_view rest;
  const Root* root = match(path, &rest);
  if (!root) return {{}, std::string(path)};
  return {root->ref, std::string(rest)};
}

const Root* Roots::find(RootRef ref) const {
  for (const Root& root : roots_) {
    if (root.ref == ref) return &root;
  }
  return nullptr;
}

std::string Roots::resolve(const RootedPath& path) const {
  if (path.root.kind == RootKind::none) return path.rest;
  const Root* root = find(path.root);
  return root ? join_path(root->path, path.rest) : std::string();
}

std::string Roots::remapped(std::string_view path) const {
  if (!is_absolute(path)) return std::string(path);
  std::string tidy = tidy_path(path);
  std::string_view rest;
  if (const Root* root = match(tidy, &rest)) return join_path(root->remap_to, rest);
  // What was written as if it were remapped is another thing.
  bool looks_remapped = std::any_of(roots_.begin(), roots_.end(), [&](const Root& root) { return is_below(tidy, root.remap_to); });
  return looks_remapped ? "literally:" + std::string(path) : std::string(path);
}

std::string Roots::remapped_list(std::string_view value) const {
  std::string out;
  for (;;) {
    size_t colon = value.find(':');
    out += remapped(value.substr(0, colon));
    if (colon == std::string_view::npos) return out;
    out += ':';
    value.remove_prefix(colon + 1);
  }
}

}  // namespace kache
